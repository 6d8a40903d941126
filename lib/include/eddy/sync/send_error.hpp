#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace sync {

template <class T>
class send_failed;

/// Why a value was not sent, and the value, given back: the error in what `send` and its kin yield. An await
/// without `attempt`, and `result::value()`, throw `send_failed<T>` instead.
///
/// Converts to `error`, so `or_return` works in a coroutine of `result<U>`, without the value.
template <class T>
class [[nodiscard]] send_error {
 public:
  send_error(error reason, T&& value) noexcept(std::is_nothrow_move_constructible_v<T>)
      : reason_(std::move(reason)), value_(std::move(value)) {}
  /// Without the value: its own move threw, and `reason` is what it threw.
  explicit send_error(error reason) noexcept : reason_(std::move(reason)) {}

  /// Nobody receives any more.
  bool is_closed() const noexcept { return reason_.is(errc::closed); }
  /// There was no room. The reason then equals `std::errc::operation_would_block`.
  bool is_full() const noexcept { return reason_ == std::errc::operation_would_block; }
  /// There was no room in time.
  bool is_elapsed() const noexcept { return reason_.is(errc::elapsed); }
  /// Why it was not sent.
  const error& reason() const noexcept { return reason_; }
  /// `reason().message()`.
  std::string message() const { return reason_.message(); }

  /// False only if the value's own move threw.
  bool has_value() const noexcept { return value_.has_value(); }
  /// The value. Without one: misuse.
  T& value() & {
    if (!value_) detail::misuse("a send_error without its value was asked for it");
    return *value_;
  }
  const T& value() const& { return const_cast<send_error&>(*this).value(); }
  T&& value() && { return std::move(value()); }

  operator error() const noexcept { return reason_; }
  friend bool operator==(const send_error& a, errc b) noexcept { return a.reason_ == b; }
  friend bool operator==(const send_error& a, std::errc b) noexcept { return a.reason_ == b; }

  /// Throws `send_failed<T>` with the value in it, or what the value's move threw.
  [[noreturn]] void raise() {
#if EDDY_EXCEPTIONS
    if (value_) throw send_failed<T>(std::move(*this));
#endif
    reason_.raise();
  }

 private:
  error reason_;
  std::optional<T> value_;
};

/// For channels that send nothing but the event.
template <>
class [[nodiscard]] send_error<void> : public send_error<unit> {
 public:
  using send_error<unit>::send_error;
};

#if EDDY_EXCEPTIONS

/// What a failed send throws: a `failure` whose code says why, with the value.
template <class T>
class send_failed final : public failure {
 public:
  explicit send_failed(send_error<T>&& e)
      : failure(e.reason()), value_(std::make_shared<T>(std::move(e).value())) {}
  /// The value; copies of the exception share it.
  T& value() const noexcept { return *value_; }

 private:
  std::shared_ptr<T> value_;
};

#endif

}}}  // namespace eddy::EDDY_ABI::sync
