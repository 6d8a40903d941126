#include <eddy/testing/clock.hpp>

#include <cstdint>

#include <eddy/base/detail/misuse.hpp>

#include "runtime/loop.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace test {

namespace {

eddy::detail::loop& here(const char* function) {
  auto* const s = eddy::detail::this_thread().driving;
  if (s == nullptr) eddy::detail::misuse(function);
  return eddy::detail::loop::from(*s);
}

}  // namespace

void pause() { here("test::pause: outside of a task").pause(); }
void resume() { here("test::resume: outside of a task").resume(); }
bool is_paused() { return here("test::is_paused: outside of a task").is_paused(); }

namespace detail {

void advance_clock(duration d) {
  auto& l = here("test::advance: outside of a task");
  if (!l.is_paused()) eddy::detail::misuse("test::advance: the clock is running; pause it first");
  l.advance(static_cast<std::uint64_t>(d.count()));
}

}  // namespace detail

}}}  // namespace eddy::EDDY_ABI::test
