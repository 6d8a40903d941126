#pragma once

#include <cstddef>
#include <utility>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Owns one reference to a `T` that counts its own references: `T::retain()` adds one, `T::release()` removes one and
/// frees the object with the last. One word; may be empty.
template <class T>
class intrusive_ptr {
 public:
  intrusive_ptr() noexcept = default;
  /// Adds a reference to `object`.
  explicit intrusive_ptr(T& object) noexcept : object_(&object) { object.retain(); }
  intrusive_ptr(const intrusive_ptr& other) noexcept : object_(other.object_) {
    if (object_ != nullptr) object_->retain();
  }
  intrusive_ptr(intrusive_ptr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  intrusive_ptr& operator=(intrusive_ptr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~intrusive_ptr() { reset(); }

  /// Takes over a reference that the caller owns.
  static intrusive_ptr adopt(T* object) noexcept {
    intrusive_ptr p;
    p.object_ = object;
    return p;
  }
  /// Hands the reference to the caller; this becomes empty.
  [[nodiscard]] T* release() noexcept { return std::exchange(object_, nullptr); }
  void reset() noexcept {
    if (T* const object = release()) object->release();
  }

  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

}}}  // namespace eddy::EDDY_ABI::detail
