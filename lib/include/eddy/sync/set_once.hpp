#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/memory.hpp>
#include <eddy/base/result.hpp>
#include <eddy/base/unexpected.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/sync/detail/notify_core.hpp>
#include <eddy/sync/once_value.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace sync {

/// A value that one sets and any number wait for.
///
/// Threads: any; in a build without the pool one loop's.
/// Lifetime: outlives every call on it (`set` wakes others when the value can be seen already) and every wait
/// on it. The value stays where it is until the `set_once` is destroyed.
template <class T>
class set_once {
 public:
  set_once() noexcept = default;
  /// Set from the beginning.
  explicit set_once(T value) : claimed_(true) { value_.make(std::move(value)); }

  /// True when there is a value.
  bool initialized() const noexcept { return value_.is_set(); }
  /// The value; null before it is set.
  T* get() noexcept { return value_.get(); }
  const T* get() const noexcept { return value_.get(); }

  /// Sets the value and wakes all who wait. Else the value comes back in the error. If its move throws, that
  /// comes out of here, and nothing is set.
  result<void, set_error<T>> set(T value) {
    if (!claim()) return unexpected(set_error<T>(std::move(value), !initialized()));
    give_back claim_of{this};
    value_.make(std::move(value));
    claim_of.cell = nullptr;
    told_.tell_all();
    return {};
  }

  /// Waits for the value.
  ///
  /// Cancel safety: nothing is lost.
  /// Cost: no allocation.
  auto wait() noexcept { return wait_leaf(*this); }

  /// The value, moved out; only when nobody else uses this any more.
  std::optional<T> into_inner() && { return value_.take(); }

 private:
  class [[nodiscard]] wait_leaf {
   public:
    explicit wait_leaf(set_once& of) noexcept : of_(&of) {}
    wait_leaf(wait_leaf&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)), at_(std::move(other.at_)) {}
    wait_leaf& operator=(wait_leaf&&) = delete;
    ~wait_leaf() {
      if (of_ != nullptr) of_->told_.leave(at_);
    }
    polled<T&> poll(context& cx) noexcept {
      if (of_->initialized() ? !cx.proceed() : !of_->told_.poll(at_, cx)) return pending;
      return *of_->get();
    }

   private:
    set_once* of_;
    detail::notify_waiter<detail::sync_memory> at_{0};  // it is told once
  };
  struct give_back {
    set_once* cell;
    ~give_back() {
      if (cell != nullptr) cell->claimed_.store(false, std::memory_order_release);
    }
  };

  /// True for the one who may make the value.
  bool claim() noexcept {
    bool claimed = claimed_.load(std::memory_order_acquire);
    while (!claimed)
      if (detail::replace<detail::sync_memory>(claimed_, claimed, true, std::memory_order_acq_rel))
        return true;
    return false;
  }

  detail::once_value<T> value_;
  detail::sync_memory::atomic<bool> claimed_{false};  // partners: claim, give_back
  detail::basic_notify<detail::sync_memory> told_;
};

}}}  // namespace eddy::EDDY_ABI::sync
