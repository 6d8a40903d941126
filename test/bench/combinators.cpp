// Select, join and timers: the workloads of the Tokio peer by the same names.

#include <chrono>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "workload.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

eddy::future<> in_a_task(eddy::future<> f) {
  auto h = eddy::spawn(std::move(f));
  co_await h;
}

[[gnu::noinline]] eddy::future<int> value(int i) {
  keep(i);
  co_return i;
}
[[gnu::noinline]] eddy::future<int> value_later(int i) {
  co_await eddy::yield_now();
  keep(i);
  co_return i;
}
template <auto F>
eddy::future<> join_10() {
  for (int i = 0; i < operations; ++i) {
    auto all = co_await eddy::join(F(i), F(i), F(i), F(i), F(i), F(i), F(i), F(i), F(i), F(i));
    keep(all);
  }
}

// Far behind its time: each tick is ready at once.
eddy::future<> interval_ticks() {
  auto every = eddy::interval_at(eddy::clock::now() - 10s, 1us);
  for (int i = 0; i < operations; ++i) {
    auto when = co_await every.tick();
    keep(when);
  }
}

constexpr int timers = 1'000'000;

// All armed by a first poll, then dropped.
eddy::future<> timers_cancel(int n) {
  std::vector<eddy::sleep_leaf> all;
  all.reserve(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i)
    all.push_back(eddy::sleep(10s + std::chrono::milliseconds(i * 7919LL % 60'000)));
  co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
    bool none = true;
    for (auto& each : all) none = !each.poll(cx).is_ready() && none;
    keep(none);
    return eddy::ready;
  });
}
eddy::future<> timers_cancel_in_rounds(int n) {
  for (int done = 0; done < timers; done += n) co_await timers_cancel(n);
}

constexpr workload workloads[] = {
    {"ct/join_10_ready", operations, [] { return in_a_task(join_10<value>()); }},
    {"ct/join_10_yield", operations, [] { return in_a_task(join_10<value_later>()); }},
    {"ct/interval_tick", operations, [] { return in_a_task(interval_ticks()); }},
    {"ct/timers_cancel_1k", timers, [] { return in_a_task(timers_cancel_in_rounds(1000)); }},
    {"ct/timers_cancel_1M", timers, [] { return in_a_task(timers_cancel_in_rounds(timers)); }},
};

}  // namespace

std::span<const workload> combinator_workloads() { return workloads; }

}  // namespace bench
