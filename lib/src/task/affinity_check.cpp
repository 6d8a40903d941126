#include <atomic>

#include <eddy/base/detail/memory.hpp>
#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/rc.hpp>

#include "task/scheduler.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

std::uint32_t this_thread_number() noexcept {
  static std::atomic<std::uint32_t> last{0};  // partner: itself, of other threads; only counts
  static thread_local const std::uint32_t mine = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return mine;
}

}  // namespace

// The same thread, or the same loop driven by another one. What only code outside of loops has used so far
// (the program's setting up) becomes the first loop's.
void check_loop_local(affinity_check& mark) noexcept {
  const auto loop = this_thread().owner;
  const auto thread = this_thread_number();
  if (mark.thread != thread && mark.thread != 0 && mark.loop != 0 && mark.loop != loop)
    fatal("a channel or lock was used by two threads: this library was built with -Dpool=disabled");
  if (loop != 0 && mark.loop != 0 && mark.loop != loop)
    fatal("a channel or lock was used on two loops: this library was built with -Dpool=disabled");
  mark.thread = thread;
  if (loop != 0) mark.loop = loop;
}

void check_rc(affinity_check& mark) noexcept {
  const auto loop = this_thread().owner;
  const auto thread = this_thread_number();
  if (mark.thread != thread && mark.thread != 0 && (loop == 0 || loop != mark.loop))
    fatal("an rc was used by two threads: tasks that hold one are started with spawn_local");
  mark.thread = thread;
  if (mark.loop == 0) mark.loop = loop;
}

}}}  // namespace eddy::EDDY_ABI::detail
