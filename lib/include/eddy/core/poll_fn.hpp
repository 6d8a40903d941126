#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/poll.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

template <class F>
class [[nodiscard]] poll_fn_leaf {
  using value_type = typename std::invoke_result_t<F&, context&>::value_type;
  using answer = std::conditional_t<is_result_v<value_type>, value_type, result<value_type>>;

 public:
  explicit poll_fn_leaf(F f) : f_(std::move(f)) {}

  polled<answer> poll(context& cx) noexcept {
#if EDDY_EXCEPTIONS
    try {
#endif
      auto p = f_(cx);
      if (!p) return pending;
      if constexpr (std::is_void_v<value_type>)
        return answer();
      else
        return answer(p.take());
#if EDDY_EXCEPTIONS
    } catch (...) {
      if constexpr (std::is_constructible_v<answer, unexpected<error>>)
        return answer(unexpected(error::current_exception()));
      else
        fatal("a poll_fn with an error type of its own threw");
    }
#endif
  }

 private:
  F f_;
};

}  // namespace detail

/// A leaf from a callable `polled<T>(context&)`: it is called at each poll until it answers a value.
/// When it answers pending it has stored a waker (`cx.get_waker()`), or woken itself (`cx.wake()`).
///
/// Cancel safety: the callable is destroyed.
/// Errors: what the callable throws comes out of the await; where its error type cannot hold an exception it
/// ends the program.
template <class F>
  requires std::invocable<F&, context&>
detail::poll_fn_leaf<F> poll_fn(F f) {
  return detail::poll_fn_leaf<F>(std::move(f));
}

}}  // namespace eddy::EDDY_ABI
