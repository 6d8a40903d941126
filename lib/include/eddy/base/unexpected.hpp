#pragma once

#include <type_traits>
#include <utility>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// Says that a `result` is to be made with an error, built in place from the arguments that follow.
struct unexpect_t {
  explicit unexpect_t() = default;
};
inline constexpr unexpect_t unexpect{};

/// An error on its way into a `result`: `return unexpected(why);`.
template <class E>
class [[nodiscard]] unexpected {
 public:
  template <class G = E>
    requires(!std::is_same_v<std::remove_cvref_t<G>, unexpected> &&
             !std::is_same_v<std::remove_cvref_t<G>, std::in_place_t> &&
             std::is_constructible_v<E, G>)
  constexpr explicit unexpected(G&& error) : error_(std::forward<G>(error)) {}

  template <class... Args>
    requires(std::is_constructible_v<E, Args...>)
  constexpr explicit unexpected(std::in_place_t, Args&&... args)
      : error_(std::forward<Args>(args)...) {}

  /// The error.
  constexpr E& error() & noexcept { return error_; }
  constexpr const E& error() const& noexcept { return error_; }
  constexpr E&& error() && noexcept { return std::move(error_); }

  template <class G>
  friend constexpr bool operator==(const unexpected& a, const unexpected<G>& b) {
    return a.error() == b.error();
  }

 private:
  E error_;
};

template <class E>
unexpected(E) -> unexpected<E>;

namespace detail {

template <class T>
inline constexpr bool is_unexpected_v = false;
template <class E>
inline constexpr bool is_unexpected_v<unexpected<E>> = true;

}  // namespace detail

}}  // namespace eddy::EDDY_ABI
