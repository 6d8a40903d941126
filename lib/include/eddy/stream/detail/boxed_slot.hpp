#pragma once

#include <memory>
#include <new>
#include <utility>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// An object that may not move, in a block of its own, so that its owner may. The block is made for the first
/// object and kept for those that follow.
template <class T>
class parked {
  static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

 public:
  parked() noexcept = default;
  parked(parked&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), alive_(std::exchange(other.alive_, false)) {}
  parked& operator=(parked&& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(alive_, other.alive_);
    return *this;
  }
  ~parked() {
    reset();
    if (block_ != nullptr) frame_release(block_, sizeof(T));
  }

  explicit operator bool() const noexcept { return alive_; }
  T& operator*() noexcept { return *static_cast<T*>(block_); }
  T* operator->() noexcept { return static_cast<T*>(block_); }
  const T* operator->() const noexcept { return static_cast<const T*>(block_); }

  template <class... A>
  void emplace(A&&... args) {
    reset();
    if (block_ == nullptr) block_ = frame_allocate(sizeof(T));
    if (block_ == nullptr) fatal("out of memory");
    ::new (block_) T(std::forward<A>(args)...);
    alive_ = true;
  }
  void reset() noexcept {
    if (std::exchange(alive_, false)) std::destroy_at(static_cast<T*>(block_));
  }

 private:
  void* block_ = nullptr;
  bool alive_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
