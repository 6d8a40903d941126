#pragma once
// Room for a value that is made once: what once_cell and set_once have in common.
//
// I1  Who makes the value has been chosen before, and is alone. `set` is stored behind it (release), and from
//     then on the value stays until the end, or until `take` by somebody who is alone with the cell.

#include <atomic>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include <eddy/base/detail/memory.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class T>
class once_value {
 public:
  once_value() noexcept {}
  once_value(const once_value&) = delete;
  once_value& operator=(const once_value&) = delete;
  ~once_value() {
    if (is_set()) std::destroy_at(&value_);
  }

  bool is_set() const noexcept { return set_.load(std::memory_order_acquire); }
  T* get() noexcept { return is_set() ? &value_ : nullptr; }
  const T* get() const noexcept { return is_set() ? &value_ : nullptr; }
  template <class... A>
  void make(A&&... args) {
    ::new (static_cast<void*>(std::addressof(value_))) T(std::forward<A>(args)...);
    set_.store(true, std::memory_order_release);
  }
  std::optional<T> take() {
    if (!is_set()) return std::nullopt;
    std::optional<T> value(std::move(value_));
    std::destroy_at(&value_);
    set_.store(false, std::memory_order_relaxed);
    return value;
  }

 private:
  union {
    T value_;
  };
  sync_memory::atomic<bool> set_{false};  // partners: make, is_set
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

/// Why a value could not be set, and the value, given back.
template <class T>
class set_error {
 public:
  set_error(T refused, bool initializing)
      : value(std::move(refused)), initializing_(initializing) {}

  /// What was to be set.
  T value;
  /// Somebody is at work on another value, and may fail yet. False: there is one.
  bool is_initializing() const noexcept { return initializing_; }

 private:
  bool initializing_;
};

}}}  // namespace eddy::EDDY_ABI::sync
