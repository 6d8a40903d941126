#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/frame_pool.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/waker.hpp>

namespace eddy::inline EDDY_ABI::detail {

/// The cell that a sender and a receiver share: one value, once, from any thread to any thread.
///
/// States: the word holds three bits, all set by fetch_or and tested in the value it returned.
///   filled    the sender has written the outcome (or an error) and touches the cell no more
///             [sender, release; receiver, acquire]
///   waiting   `waiter` is valid; the sender may wake it   [receiver, release; sender, acquire]
///   abandoned the receiver is gone                        [receiver; sender]
/// I1  The sender writes the outcome before `filled`, and nothing of the cell after it but its reference.
/// I2  The receiver writes `waiter` only while `waiting` is clear; it clears it first, and if `filled`
///     turned up meanwhile it takes the outcome and leaves `waiter` alone.
/// I3  `waiter` is dropped with the cell, so the sender may wake it while the receiver takes the value.
class cell_base {
 public:
  bool is_filled() const noexcept { return (bits_.load(std::memory_order_acquire) & filled) != 0; }
  bool is_abandoned() const noexcept {
    return (bits_.load(std::memory_order_acquire) & abandoned) != 0;
  }
  /// The receiver is gone. True when the outcome was there already.
  bool abandon() noexcept {
    return (bits_.fetch_or(abandoned, std::memory_order_acq_rel) & filled) != 0;
  }
  /// The sender is done: publishes the outcome and wakes the receiver. False when there is none any more.
  bool publish() noexcept;
  /// True when the outcome is there; otherwise the target of `cx` will be woken.
  bool poll(context& cx) noexcept;

  /// The outcome when it is not a value; "no error" means a value.
  error failure;

 protected:
  cell_base() noexcept = default;
  ~cell_base() = default;
  bool release_one() noexcept { return refs_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

 private:
  static constexpr std::uint32_t filled = 1, waiting = 2, abandoned = 4;
  std::atomic<std::uint32_t> bits_{0};
  std::atomic<std::uint32_t> refs_{2};  // sender and receiver
  waker waiter_;
};

template <class T>
class cell final : public cell_base {
  using stored =
      std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, void_to_unit<T>>;

 public:
  static cell* make() {
    void* p = frame_allocate(sizeof(cell));
    if (p == nullptr) fatal("out of memory");
    return ::new (p) cell;
  }
  void release() noexcept {
    if (!release_one()) return;
    this->~cell();
    frame_release(this, sizeof(cell));
  }
  template <class... A>
  void fill(A&&... args) noexcept {
#if EDDY_EXCEPTIONS
    try {
#endif
      ::new (static_cast<void*>(&value_)) stored(std::forward<A>(args)...);
#if EDDY_EXCEPTIONS
    } catch (...) {
      return fail(error::current_exception());
    }
#endif
    has_value_ = true;
    publish();
  }
  void fail(error e) noexcept {
    failure = std::move(e);
    publish();
  }
  /// Receiver, after poll said true.
  result<T> take() {
    if (!has_value_) return result<T>(unexpected(std::move(failure)));
    if constexpr (std::is_void_v<T>)
      return result<T>();
    else if constexpr (std::is_reference_v<T>)
      return result<T>(static_cast<T>(*value_));
    else
      return result<T>(std::in_place, std::move(value_));
  }

 private:
  cell() noexcept {}
  ~cell() {
    if (has_value_) std::destroy_at(&value_);
  }

  bool has_value_ = false;
  union {
    stored value_;
  };
};

}  // namespace eddy::inline EDDY_ABI::detail
