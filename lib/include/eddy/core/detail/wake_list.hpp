#pragma once

#include <cassert>
#include <cstddef>
#include <new>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/waker.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Wakers collected under a lock, to be woken after it: waking another loop's task is a system call at
/// worst. Declared before the lock, so that it is destroyed, which wakes, behind it. Holds a few; when
/// it is full, unlock, `wake_all`, lock again and look anew.
class wake_list {
 public:
  wake_list() noexcept {}
  wake_list(const wake_list&) = delete;
  wake_list& operator=(const wake_list&) = delete;
  ~wake_list() { wake_all(); }

  bool full() const noexcept { return count_ == capacity; }
  /// Only when it is not full.
  void add(waker&& w) noexcept {
    assert(!full());
    ::new (static_cast<void*>(&wakers_[count_++])) waker(std::move(w));
  }
  void wake_all() noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
      std::move(wakers_[i]).wake();
      wakers_[i].~waker();
    }
    count_ = 0;
  }

 private:
  static constexpr std::size_t capacity = 32;
  std::size_t count_ = 0;
  union {
    waker wakers_[capacity];
  };
};

}}}  // namespace eddy::EDDY_ABI::detail
