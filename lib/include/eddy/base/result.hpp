#pragma once

#include <type_traits>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/detail/result_parts.hpp>
#include <eddy/base/result_traits.hpp>
#include <eddy/base/unexpected.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// A value of T or the error that stood in its way, with the interface of `std::expected`; T may be
/// `void`, an lvalue reference (rebound by assignment) or move-only. `attempt` yields it, leaves
/// are made of it.
///
/// Beyond `std::expected`: an `eddy::error` or `eddy::errc` is taken as the error without `unexpected` around it,
/// unless T can be made from one; a result converts to a `std::expected` of the same types where
/// the program has one.
/// Errors: `value()` throws what the error stands for, and aborts where there are no exceptions.
/// Asking for what is not there (`*r`, `r.error()`) is misuse and aborts with one line.
/// Cost: no allocation; as trivial to copy, move and destroy as its parts are.
template <class T, class E>
class [[nodiscard]] result {
  static_assert(!std::is_rvalue_reference_v<T> && !std::is_array_v<T> && !std::is_function_v<T>,
                "eddy: result<T> takes an object type, an lvalue reference or void");
  static_assert(std::is_object_v<E> && !std::is_array_v<E> && !detail::is_unexpected_v<E>,
                "eddy: the error of a result is an object");

  using stored = typename detail::result_value<T>::type;
  using value_ref = std::add_lvalue_reference_t<T>;
  using value_cref = std::add_lvalue_reference_t<std::add_const_t<T>>;
  using value_rref = std::add_rvalue_reference_t<T>;

  template <template <class> class Is>
  static constexpr bool both = Is<stored>::value && Is<E>::value;
  static constexpr bool trivial_copy = both<std::is_trivially_copy_constructible>;
  static constexpr bool trivial_move = both<std::is_trivially_move_constructible>;
  static constexpr bool trivial_destroy = both<std::is_trivially_destructible>;
  static constexpr bool trivial_copy_assign =
      trivial_copy && trivial_destroy && both<std::is_trivially_copy_assignable>;
  static constexpr bool trivial_move_assign =
      trivial_move && trivial_destroy && both<std::is_trivially_move_assignable>;
  static constexpr bool one_moves_safely =
      std::is_nothrow_move_constructible_v<stored> || std::is_nothrow_move_constructible_v<E>;
  static constexpr bool can_copy_assign =
      both<std::is_copy_constructible> && both<std::is_copy_assignable> && one_moves_safely;
  static constexpr bool can_move_assign =
      both<std::is_move_constructible> && both<std::is_move_assignable> && one_moves_safely;
  static constexpr bool safe_move = both<std::is_nothrow_move_constructible>;
  static constexpr bool safe_move_assign = safe_move && both<std::is_nothrow_move_assignable>;

 public:
  using value_type = T;
  using error_type = E;
  using unexpected_type = unexpected<E>;
  template <class U>
  using rebind = result<U, E>;

  constexpr result() noexcept(std::is_nothrow_default_constructible_v<stored>)
    requires(std::is_default_constructible_v<stored> && !std::is_reference_v<T>)
      : value_(), has_(true) {}

  template <class U = std::remove_cv_t<T>>
    requires(detail::result_takes_value<T, E, U>())
  constexpr explicit(!std::is_convertible_v<U, T>) result(U&& value)
      : value_(store(std::forward<U>(value))), has_(true) {}

  template <class G>
    requires(detail::result_takes_error<T, E, G>())
  constexpr result(G&& error) noexcept : error_(std::forward<G>(error)), has_(false) {}

  template <class G>
    requires(std::is_constructible_v<E, const G&>)
  constexpr explicit(!std::is_convertible_v<const G&, E>) result(const unexpected<G>& error)
      : error_(error.error()), has_(false) {}

  template <class G>
    requires(std::is_constructible_v<E, G>)
  constexpr explicit(!std::is_convertible_v<G, E>) result(unexpected<G>&& error)
      : error_(std::move(error).error()), has_(false) {}

  template <class... Args>
    requires(std::is_constructible_v<stored, Args...> && !std::is_reference_v<T>)
  constexpr explicit result(std::in_place_t, Args&&... args)
      : value_(std::forward<Args>(args)...), has_(true) {}

  template <class... Args>
    requires(std::is_constructible_v<E, Args...>)
  constexpr explicit result(unexpect_t, Args&&... args)
      : error_(std::forward<Args>(args)...), has_(false) {}

  template <class U, class G>
    requires(detail::result_converts<T, E, U, G, const result<U, G>&>())
  constexpr explicit(!std::is_convertible_v<std::add_lvalue_reference_t<const U>, T> ||
                     !std::is_convertible_v<const G&, E>) result(const result<U, G>& other)
      : result(from_other{}, other) {}

  template <class U, class G>
    requires(detail::result_converts<T, E, U, G, result<U, G>>())
  constexpr explicit(!std::is_convertible_v<U, T> || !std::is_convertible_v<G, E>)
      result(result<U, G>&& other)
      : result(from_other{}, std::move(other)) {}

  // Each special member is trivial when the parts' are, absent when a part has none, and written
  // out otherwise.
  constexpr result(const result&)
    requires(trivial_copy)
  = default;
  constexpr result(const result& other)
    requires(both<std::is_copy_constructible> && !trivial_copy)
      : has_(other.has_) {
    has_ ? detail::make_part(&value_, other.value_) : detail::make_part(&error_, other.error_);
  }
  constexpr result(result&&)
    requires(trivial_move)
  = default;
  constexpr result(result&& other) noexcept(safe_move)
    requires(both<std::is_move_constructible> && !trivial_move)
      : has_(other.has_) {
    has_ ? detail::make_part(&value_, std::move(other.value_))
         : detail::make_part(&error_, std::move(other.error_));
  }
  constexpr result& operator=(const result&)
    requires(trivial_copy_assign)
  = default;
  constexpr result& operator=(const result& other)
    requires(can_copy_assign && !trivial_copy_assign)
  {
    assign(other);
    return *this;
  }
  constexpr result& operator=(result&&)
    requires(trivial_move_assign)
  = default;
  constexpr result& operator=(result&& other) noexcept(safe_move_assign)
    requires(can_move_assign && !trivial_move_assign)
  {
    assign(std::move(other));
    return *this;
  }
  constexpr ~result()
    requires(trivial_destroy)
  = default;
  constexpr ~result()
    requires(!trivial_destroy)
  {
    has_ ? value_.~stored() : error_.~E();
  }

  /// True when it is a value, false when it is an error.
  constexpr bool has_value() const noexcept { return has_; }
  constexpr explicit operator bool() const noexcept { return has_; }

  /// The value; there must be one.
  constexpr value_ref operator*() & noexcept {
    expect_value();
    return load(value_);
  }
  constexpr value_cref operator*() const& noexcept {
    expect_value();
    return load(value_);
  }
  constexpr value_rref operator*() && noexcept {
    expect_value();
    return static_cast<value_rref>(load(value_));
  }
  constexpr std::remove_reference_t<value_ref>* operator->() noexcept
    requires(!std::is_void_v<T>)
  {
    return __builtin_addressof(**this);
  }
  constexpr std::remove_reference_t<value_cref>* operator->() const noexcept
    requires(!std::is_void_v<T>)
  {
    return __builtin_addressof(**this);
  }

  /// The value, or throws what the error stands for.
  constexpr value_ref value() & {
    if (!has_) [[unlikely]]
      detail::raise(error_);
    return load(value_);
  }
  constexpr value_cref value() const& {
    if (!has_) [[unlikely]]
      detail::raise(error_);
    return load(value_);
  }
  constexpr value_rref value() && {
    if (!has_) [[unlikely]]
      detail::raise(std::move(error_));
    return static_cast<value_rref>(load(value_));
  }

  /// The error; there must be one.
  constexpr E& error() & noexcept {
    expect_error();
    return error_;
  }
  constexpr const E& error() const& noexcept {
    expect_error();
    return error_;
  }
  constexpr E&& error() && noexcept {
    expect_error();
    return std::move(error_);
  }
  /// The value, or `other`.
  template <class U = std::remove_cvref_t<T>>
    requires(!std::is_void_v<T>)
  constexpr std::remove_cvref_t<T> value_or(U&& other) const& {
    if (has_) return load(value_);
    return static_cast<std::remove_cvref_t<T>>(std::forward<U>(other));
  }
  template <class U = std::remove_cvref_t<T>>
    requires(!std::is_void_v<T>)
  constexpr std::remove_cvref_t<T> value_or(U&& other) && {
    if (has_) return static_cast<value_rref>(load(value_));
    return static_cast<std::remove_cvref_t<T>>(std::forward<U>(other));
  }
  /// The error, or `other`.
  template <class G = E>
  constexpr E error_or(G&& other) const& {
    if (has_) return std::forward<G>(other);
    return error_;
  }
  template <class G = E>
  constexpr E error_or(G&& other) && {
    if (has_) return std::forward<G>(other);
    return std::move(error_);
  }

  /// Goes on with `f(value)`, which returns a result with the same error; an error passes by.
  template <class F>
  constexpr auto and_then(F&& f) & {
    return then(*this, std::forward<F>(f));
  }
  template <class F>
  constexpr auto and_then(F&& f) const& {
    return then(*this, std::forward<F>(f));
  }
  template <class F>
  constexpr auto and_then(F&& f) && {
    return then(std::move(*this), std::forward<F>(f));
  }

  /// Goes on with `f(error)`, which returns a result with the same value; a value passes by.
  template <class F>
  constexpr auto or_else(F&& f) & {
    return otherwise(*this, std::forward<F>(f));
  }
  template <class F>
  constexpr auto or_else(F&& f) const& {
    return otherwise(*this, std::forward<F>(f));
  }
  template <class F>
  constexpr auto or_else(F&& f) && {
    return otherwise(std::move(*this), std::forward<F>(f));
  }

  /// The same result with `f(value)` as its value.
  template <class F>
  constexpr auto transform(F&& f) & {
    return map(*this, std::forward<F>(f));
  }
  template <class F>
  constexpr auto transform(F&& f) const& {
    return map(*this, std::forward<F>(f));
  }
  template <class F>
  constexpr auto transform(F&& f) && {
    return map(std::move(*this), std::forward<F>(f));
  }

  /// The same result with `f(error)` as its error.
  template <class F>
  constexpr auto transform_error(F&& f) & {
    return map_error(*this, std::forward<F>(f));
  }
  template <class F>
  constexpr auto transform_error(F&& f) const& {
    return map_error(*this, std::forward<F>(f));
  }
  template <class F>
  constexpr auto transform_error(F&& f) && {
    return map_error(std::move(*this), std::forward<F>(f));
  }

  /// Replaces what is there by a value made from the arguments. If making it throws, what was there
  /// stays.
  template <class... Args>
    requires(std::is_constructible_v<stored, Args...> && !std::is_reference_v<T>)
  constexpr value_ref emplace(Args&&... args) {
    if (!has_) {
      detail::replace_part(&value_, &error_, std::forward<Args>(args)...);
      has_ = true;
    } else if constexpr (std::is_nothrow_constructible_v<stored, Args...>) {
      value_.~stored();
      detail::make_part(&value_, std::forward<Args>(args)...);
    } else {
      static_assert(std::is_move_assignable_v<stored>,
                    "eddy: emplace over a value needs a nothrow constructor or a move");
      value_ = stored(std::forward<Args>(args)...);
    }
    return load(value_);
  }

  constexpr void swap(result& other) noexcept(safe_move_assign)
    requires(can_move_assign)
  {
    result kept(std::move(other));
    other = std::move(*this);
    *this = std::move(kept);
  }
  friend constexpr void swap(result& a, result& b) noexcept(safe_move_assign)
    requires(can_move_assign)
  {
    a.swap(b);
  }

  template <class U, class G>
    requires(std::is_void_v<T> == std::is_void_v<U>)
  friend constexpr bool operator==(const result& a, const result<U, G>& b) {
    if (a.has_value() != b.has_value()) return false;
    if (!a.has_value()) return a.error() == b.error();
    if constexpr (std::is_void_v<T>)
      return true;
    else
      return *a == *b;
  }
  template <class U>
    requires(!std::is_void_v<T> && !is_result_v<U> && !detail::is_unexpected_v<U> &&
             (!std::is_same_v<U, E> || std::is_same_v<T, E>))
  friend constexpr bool operator==(const result& a, const U& b) {
    return a.has_value() && *a == b;
  }
  template <class G>
  friend constexpr bool operator==(const result& a, const unexpected<G>& b) {
    return !a.has_value() && a.error() == b.error();
  }

  /// The same as a `std::expected<T, E>`, which is known by its members so that its header is not
  /// needed here.
  template <class Expected>
    requires(!is_result_v<Expected> && !std::is_reference_v<T> &&
             requires { typename Expected::template rebind<int>; } &&
             std::is_same_v<typename Expected::value_type, T> &&
             std::is_same_v<typename Expected::error_type, E>)
  constexpr operator Expected() const& {
    return convert<Expected>(*this);
  }
  template <class Expected>
    requires(!is_result_v<Expected> && !std::is_reference_v<T> &&
             requires { typename Expected::template rebind<int>; } &&
             std::is_same_v<typename Expected::value_type, T> &&
             std::is_same_v<typename Expected::error_type, E>)
  constexpr operator Expected() && {
    return convert<Expected>(std::move(*this));
  }

 private:
  template <class, class>
  friend class result;

  struct from_other {};
  template <class Other>
  constexpr result(from_other, Other&& other) : has_(other.has_) {
    if (!has_)
      detail::make_part(&error_, std::forward<Other>(other).error_);
    else if constexpr (!std::is_void_v<T>)
      detail::make_part(&value_, store(*std::forward<Other>(other)));
    else
      detail::make_part(&value_);
  }

  template <class U>
    requires(std::is_reference_v<T>)
  static constexpr auto store(U&& value) noexcept {
    return __builtin_addressof(value);
  }
  template <class U>
    requires(!std::is_reference_v<T>)
  static constexpr U&& store(U&& value) noexcept {
    return std::forward<U>(value);
  }
  template <class S>
  static constexpr auto load(S& kept) noexcept
      -> std::conditional_t<std::is_reference_v<T> || std::is_void_v<T>, value_ref,
                            std::add_lvalue_reference_t<S>> {
    if constexpr (std::is_reference_v<T>)
      return *kept;
    else if constexpr (!std::is_void_v<T>)
      return kept;
  }
  constexpr void expect_value() const noexcept {
    if (!has_) [[unlikely]]
      detail::fatal("the value of a result that holds an error was asked for");
  }
  constexpr void expect_error() const noexcept {
    if (has_) [[unlikely]]
      detail::fatal("the error of a result that holds a value was asked for");
  }

  template <class Other>
  constexpr void assign(Other&& other) {
    if (has_ && other.has_) {
      value_ = std::forward<Other>(other).value_;
    } else if (has_) {
      detail::replace_part(&error_, &value_, std::forward<Other>(other).error_);
      has_ = false;
    } else if (other.has_) {
      detail::replace_part(&value_, &error_, std::forward<Other>(other).value_);
      has_ = true;
    } else {
      error_ = std::forward<Other>(other).error_;
    }
  }

  template <class Self, class F>
  static constexpr decltype(auto) apply(Self&& self, F&& f) {
    if constexpr (std::is_void_v<T>)
      return std::forward<F>(f)();
    else
      return detail::call_with(std::forward<F>(f), *std::forward<Self>(self));
  }

  template <class Self, class F>
  static constexpr auto then(Self&& self, F&& f) {
    using next = std::remove_cvref_t<decltype(apply(std::forward<Self>(self), std::forward<F>(f)))>;
    static_assert(is_result_v<next>, "eddy: and_then wants a function that returns a result");
    if (self.has_) return next(apply(std::forward<Self>(self), std::forward<F>(f)));
    return next(unexpect, std::forward<Self>(self).error_);
  }

  template <class Self, class F>
  static constexpr auto otherwise(Self&& self, F&& f) {
    using next = std::remove_cvref_t<decltype(detail::call_with(std::forward<F>(f),
                                                                std::forward<Self>(self).error_))>;
    static_assert(is_result_v<next>, "eddy: or_else wants a function that returns a result");
    static_assert(std::is_same_v<typename next::value_type, T>,
                  "eddy: or_else keeps the type of the value");
    if (!self.has_)
      return next(detail::call_with(std::forward<F>(f), std::forward<Self>(self).error_));
    if constexpr (std::is_void_v<T>)
      return next();
    else if constexpr (std::is_reference_v<T>)
      return next(*self);
    else
      return next(std::in_place, *std::forward<Self>(self));
  }

  template <class Self, class F>
  static constexpr auto map(Self&& self, F&& f) {
    using value = std::remove_cv_t<decltype(apply(std::forward<Self>(self), std::forward<F>(f)))>;
    using next = result<value, E>;
    if (!self.has_) return next(unexpect, std::forward<Self>(self).error_);
    if constexpr (std::is_void_v<value>) {
      apply(std::forward<Self>(self), std::forward<F>(f));
      return next();
    } else if constexpr (std::is_reference_v<value>) {
      return next(apply(std::forward<Self>(self), std::forward<F>(f)));
    } else {
      return next(std::in_place, apply(std::forward<Self>(self), std::forward<F>(f)));
    }
  }

  template <class Self, class F>
  static constexpr auto map_error(Self&& self, F&& f) {
    using next = result<T, std::remove_cvref_t<decltype(detail::call_with(
                               std::forward<F>(f), std::forward<Self>(self).error_))>>;
    if (!self.has_)
      return next(unexpect, detail::call_with(std::forward<F>(f), std::forward<Self>(self).error_));
    if constexpr (std::is_void_v<T>)
      return next();
    else if constexpr (std::is_reference_v<T>)
      return next(*self);
    else
      return next(std::in_place, *std::forward<Self>(self));
  }

  template <class Expected, class Self>
  static constexpr Expected convert(Self&& self) {
    if (!self.has_)
      return Expected(typename Expected::unexpected_type(std::forward<Self>(self).error_));
    if constexpr (std::is_void_v<T>)
      return Expected();
    else
      return Expected(std::in_place, *std::forward<Self>(self));
  }

  union {
    stored value_;
    E error_;
  };
  bool has_;
};

}}  // namespace eddy::EDDY_ABI
