#pragma once

#include <cerrno>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace sync::broadcast {

/// Says that `n` values were missed, where a `received` or `recv_error` is made.
struct lagged {
  std::uint64_t n;  ///< how many
};

/// What a receiver gets: an item, or word that it has missed some, or the end.
///
///   while (auto v = co_await rx.recv()) {   // false: every sender is gone
///     if (auto n = v.lagged()) { report(n); continue; }
///     use(*v);
///   }
///
/// Errors: asking for the item of one that says `lagged` throws a failure of `errc::lagged`, so a loop that
/// forgets about it fails, and neither ends early nor takes anything for an item. Asking after the end is
/// `errc::closed`.
template <class T>
class [[nodiscard]] received {
 public:
  /// The end.
  received() noexcept : item_(unexpect, broadcast::lagged{0}) {}
  received(broadcast::lagged missed) noexcept : item_(unexpect, missed) {}
  template <class... A>
  explicit received(std::in_place_t, A&&... args)
      : item_(std::in_place, std::forward<A>(args)...) {}

  // Part by part: a copy of whole words would have to wait for the narrower stores that made them.
  received(const received& other) noexcept(std::is_nothrow_copy_constructible_v<T>)
      : item_(other.item_.has_value() ? parts(std::in_place, *other.item_)
                                      : parts(unexpect, other.item_.error())) {}
  received(received&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
      : item_(other.item_.has_value() ? parts(std::in_place, *std::move(other.item_))
                                      : parts(unexpect, other.item_.error())) {}
  received& operator=(const received&) = default;
  received& operator=(received&&) = default;

  /// False at the end: there are no more, and there is no sender.
  explicit operator bool() const noexcept { return !is_closed(); }
  /// True when it has an item.
  bool has_item() const noexcept { return item_.has_value(); }
  /// True at the end: no item, and none is missed.
  bool is_closed() const noexcept { return !item_.has_value() && item_.error().n == 0; }
  /// How many values were missed since the last item; 0 when this is an item or the end.
  std::uint64_t lagged() const noexcept { return item_.has_value() ? 0 : item_.error().n; }

  /// The item.
  T& operator*() & {
    expect_item();
    return *item_;
  }
  const T& operator*() const& {
    expect_item();
    return *item_;
  }
  T&& operator*() && { return std::move(**this); }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }

  /// The same item.
  friend bool operator==(const received& a, const T& b) {
    return a.item_.has_value() && *a.item_ == b;
  }

 private:
  using parts = result<T, broadcast::lagged>;

  void expect_item() const {
    if (!item_.has_value()) [[unlikely]]
      error(lagged() != 0 ? errc::lagged : errc::closed, "broadcast").raise();
  }

  parts item_;
};

/// Why `try_recv` has no item: there is none yet (equal to `std::errc::operation_would_block`), some were
/// missed (`errc::lagged`), or there will be none (`errc::closed`).
class [[nodiscard]] recv_error {
 public:
  explicit recv_error(error reason, std::uint64_t missed = 0) noexcept
      : reason_(std::move(reason)), missed_(missed) {}

  /// True when there is none yet.
  bool is_empty() const noexcept { return reason_ == std::errc::operation_would_block; }
  /// True when there will be none.
  bool is_closed() const noexcept { return reason_.is(errc::closed); }
  /// How many values were missed, if that is the reason; else 0.
  std::uint64_t lagged() const noexcept { return missed_; }
  /// The error it stands for.
  const error& reason() const noexcept { return reason_; }
  /// `reason().message()`.
  std::string message() const { return reason_.message(); }

  operator error() const noexcept { return reason_; }
  /// Throws it.
  [[noreturn]] void raise() const { reason_.raise(); }
  friend bool operator==(const recv_error& a, errc b) noexcept { return a.reason_ == b; }
  friend bool operator==(const recv_error& a, std::errc b) noexcept { return a.reason_ == b; }

 private:
  error reason_;
  std::uint64_t missed_;
};

}}}  // namespace eddy::EDDY_ABI::sync::broadcast
