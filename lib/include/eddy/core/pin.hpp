#pragma once

#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// A future that stays where it is and can be polled: a leaf that runs it. Name it, then hand it by
/// lvalue to `timeout`, `select` and the like round after round: it keeps its progress.
///
/// Cancel safety: dropping an operation that polls it leaves it alive; dropping the `pinned` itself
/// destroys the future.
/// Lifetime: immovable. While nobody polls it, it makes no progress, and keeps the locks it holds.
/// Errors: polling it again after it has ended is misuse; ask `done()`.
template <class T>
class [[nodiscard]] pinned {
 public:
  explicit pinned(future<T>&& f) : branch_(std::move(f)) {}
  pinned(pinned&&) = delete;

  polled<result<T>> poll(context& cx) noexcept {
    auto p = branch_.poll(cx);  // the only return, so that nothing is moved
    if (p) done_ = true;
    return p;
  }
  /// True once it has ended and its value was handed out.
  bool done() const noexcept { return done_; }

 private:
  detail::branch<future<T>> branch_;
  bool done_ = false;
};

/// Fixes a future in place: `auto work = eddy::pin(do_work());`.
template <class T>
pinned<T> pin(future<T>&& f) {
  return pinned<T>(std::move(f));
}
template <class T>
void pin(future<T>&) = delete;  // give it away: eddy::pin(std::move(f))

}}  // namespace eddy::EDDY_ABI
