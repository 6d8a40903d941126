#include <eddy/testing/flavour.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

#include <eddy/core/attempt.hpp>
#include <eddy/runtime/runtime.hpp>
#include <eddy/testing/report.hpp>
#include <eddy/testing/seed.hpp>

#include "runtime/host_loop.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace test {

namespace {

using body_function = future<> (*)();

runtime::builder with(test_clock clock) {
  runtime::builder b;
  b.rng_seed(seed()).start_paused(clock == test_clock::paused);
  return b;
}

void on_own_loop(test_clock clock, body_function body) {
  auto rt = with(clock).build();
  rt.block_on(body());
}

void on_own_loop_shuffled(test_clock clock, body_function body) {
  auto rt = with(clock).shuffle_ready().build();
  rt.block_on(body());
}

future<> run_and_keep(body_function body, result<void>& outcome, bool& ended) {
  auto r = co_await attempt(body());
  outcome = std::move(r);
  ended = true;
}

void on_hosts_loop(test_clock clock, body_function body) {
  eddy::detail::host_loop host;
  result<void> outcome;
  bool ended = false;
  {
    const attachment guest = with(clock).attach(host.native());
    static_cast<void>(guest.spawn(run_and_keep(body, outcome, ended)));
    while (!ended) host.turn();
  }
  if (!host.close()) fail("the host's loop could not be closed: a handle was left in it");
  if (!outcome) std::move(outcome).value();
}

#if EDDY_POOL
template <std::uint32_t N>
void on_pool(test_clock clock, body_function body) {
  auto rt = with(clock).multi_loop().worker_threads(N).build();
  rt.block_on(body());
}
#endif

constexpr std::size_t with_pausable_clock = 3;
constexpr flavour all[] = {
    {"one loop", on_own_loop},        {"one loop, shuffled", on_own_loop_shuffled},
    {"a host's loop", on_hosts_loop},
#if EDDY_POOL
    {"a pool of one", on_pool<1>},    {"a pool of four", on_pool<4>},
#endif
};

}  // namespace

std::span<const flavour> flavours(test_clock clock) noexcept {
  const std::span<const flavour> any = all;
  return clock == test_clock::paused ? any.first(with_pausable_clock) : any;
}

}}}  // namespace eddy::EDDY_ABI::test
