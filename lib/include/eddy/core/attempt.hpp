#pragma once

#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

template <class T, class E>
struct flattened {
  using type = result<T, E>;
};
template <class U, class E>
struct flattened<result<U, E>, E> {
  using type = result<U, E>;
};

template <class X>
class [[nodiscard]] attempt_operation {
  using inner = branch<X>;

 public:
  static constexpr bool keeps_result = true;
  using result_type =
      typename flattened<typename inner::value_type, typename inner::error_type>::type;

  explicit attempt_operation(X&& x) : inner_(std::forward<X>(x)) {}

  polled<result_type> poll(context& cx) noexcept {
    if constexpr (std::is_same_v<result_type, typename inner::value_type>) {
      auto p = inner_.poll(cx);
      if (!p) return pending;
      if (!p->has_value()) return result_type(unexpected(std::move(*p).error()));
      return or_failed_move<typename result_type::value_type, typename result_type::error_type>(
          [&]() -> polled<result_type> { return std::move(**p); });
    } else {
      return inner_.poll(cx);
    }
  }

 private:
  inner inner_;
};

}  // namespace detail

/// Awaits anything and yields its outcome as a value: `auto r = co_await eddy::attempt(op);` is a
/// `result<T>` and does not throw. A leaf's failure never becomes an exception on the way; what a
/// coroutine's body threw is in the error. An attempted `future<result<T>>` gives one `result<T>`.
///
/// Cancel safety: that of what is attempted.
/// Cost: none for a leaf; a future gets a chain of its own (no allocation).
template <class X>
  requires detail::awaitable<X>
auto attempt(X&& x) {
  return detail::attempt_operation<X>(std::forward<X>(x));
}

}}  // namespace eddy::EDDY_ABI
