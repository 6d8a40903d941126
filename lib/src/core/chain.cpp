#include <eddy/core/detail/chain.hpp>

#include <utility>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

bool chain::run(context& c) noexcept {
  cx = &c;
  // Each chain measures the stack from its own loop; the one around it goes on from where it was.
  char* const outer_base = std::exchange(context_access::stack_base(c), stack_here());
  bool finished = false;
  void* const waiting = std::exchange(leaf, nullptr);
  if (waiting != nullptr && !step(waiting, c)) {
    leaf = waiting;
  } else {
    for (;;) {
      if (next) [[likely]] {
        next.resume();
        if (next) {
          if (leaf != nullptr) break;  // it waits
          continue;                    // a child too deep to be run in place
        }
      }
      // The innermost coroutine has ended and named no successor: the root, or an error to hand on.
      finished = !promise_base::of(std::coroutine_handle<>::from_address(leaf)).parent();
      if (finished) break;
      hand_on();
    }
  }
  context_access::stack_base(c) = outer_base;
  return finished;
}

// A coroutine has ended with an error that its parent hands on: walk up, moving the error into each
// parent and destroying the child before the parent's own locals, as co_return would.
void chain::hand_on() noexcept {
  auto child = std::coroutine_handle<>::from_address(std::exchange(leaf, nullptr));
  for (;;) {
    auto& ended = static_cast<result_promise_base&>(promise_base::of(child));
    const auto up = ended.parent();
    ended.hand_error_to_parent(ended);
    child.destroy();
    if (next || leaf != nullptr) return;  // the parent is the last one that ends
    child = up;
  }
}

void chain::destroy() noexcept {
  leaf = nullptr;
  // The cursor is a local: the chain may sit in the last frame that is destroyed.
  auto h = std::exchange(next, {});
  while (h) {
    const auto up = promise_base::of(h).parent();
    h.destroy();
    h = up;
  }
}

}}}  // namespace eddy::EDDY_ABI::detail
