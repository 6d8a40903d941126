#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/memory.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

template <class T>
class rc;
template <class T>
class weak_rc;

namespace detail {

/// Ends the program with one line when the marked rc belongs to another thread: it stays on the one that made
/// it, or with the loop that used it first, whoever drives that.
void check_rc(affinity_check& mark) noexcept;

/// The counts, and how the rest ends. All strong ones together hold one weak.
struct rc_block {
  std::uint32_t strong = 1;
  std::uint32_t weak = 1;
  affinity_check mark;
  void (*end)(rc_block&, bool free) noexcept;

  explicit rc_block(void (*f)(rc_block&, bool) noexcept) noexcept : end(f) { check(); }
  void check() noexcept {
#ifndef NDEBUG
    check_rc(mark);
#endif
  }
  void add() noexcept {
    check();
    ++strong;
  }
  void add_weak() noexcept {
    check();
    ++weak;
  }
  void drop() noexcept {
    check();
    if (--strong != 0) return;
    end(*this, false);
    drop_weak();
  }
  void drop_weak() noexcept {
    check();
    if (--weak == 0) end(*this, true);
  }
};

template <class T>
struct rc_block_of final : rc_block {
  template <class... A>
  explicit rc_block_of(A&&... args) : rc_block(&end_of), value(std::forward<A>(args)...) {}
  ~rc_block_of() {}
  static void end_of(rc_block& b, bool free) noexcept {
    auto& self = static_cast<rc_block_of&>(b);
    if (free)
      delete &self;
    else
      std::destroy_at(&self.value);
  }
  union {
    T value;
  };
};

}  // namespace detail

/// A shared pointer for one thread: `std::shared_ptr` without its atomic counts. Rust's Rc.
///
/// Not `is_send`: a task that holds one is started with `spawn_local`.
/// Threads: that of the loop, or the thread, it was made on; the last one may be dropped only there too. Builds
/// with assertions check it.
/// Cost: two words; one block for the counts and the value.
template <class T>
class rc {
 public:
  using element_type = T;
  using not_send = void;

  constexpr rc() noexcept = default;
  constexpr rc(std::nullptr_t) noexcept {}
  rc(const rc& other) noexcept : value_(other.value_), block_(other.block_) {
    if (block_ != nullptr) block_->add();
  }
  rc(rc&& other) noexcept
      : value_(std::exchange(other.value_, nullptr)),
        block_(std::exchange(other.block_, nullptr)) {}
  /// From one to a derived class.
  template <class U>
    requires(!std::is_same_v<U, T> && std::is_convertible_v<U*, T*>)
  rc(rc<U> other) noexcept
      : value_(std::exchange(other.value_, nullptr)),
        block_(std::exchange(other.block_, nullptr)) {}
  /// Keeps what `owner` keeps, and points at `part` of it.
  template <class U>
  rc(rc<U> owner, T* part) noexcept
      : value_(owner.block_ != nullptr ? part : nullptr),
        block_(std::exchange(owner.block_, nullptr)) {
    owner.value_ = nullptr;
  }
  rc& operator=(rc other) noexcept {
    swap(other);
    return *this;
  }
  ~rc() {
    if (block_ != nullptr) block_->drop();
  }

  T* get() const noexcept { return value_; }
  T& operator*() const noexcept { return *value_; }
  T* operator->() const noexcept { return value_; }
  explicit operator bool() const noexcept { return value_ != nullptr; }
  /// How many rc there are to this value; 0: this is empty.
  std::size_t use_count() const noexcept { return block_ != nullptr ? block_->strong : 0; }
  /// Becomes empty.
  void reset() noexcept { rc().swap(*this); }
  void swap(rc& other) noexcept {
    std::swap(value_, other.value_);
    std::swap(block_, other.block_);
  }

  friend bool operator==(const rc& a, const rc& b) noexcept { return a.value_ == b.value_; }
  friend bool operator==(const rc& a, std::nullptr_t) noexcept { return a.value_ == nullptr; }

 private:
  template <class>
  friend class rc;
  template <class>
  friend class weak_rc;
  template <class U, class... A>
  friend rc<U> make_rc(A&&... args);
  rc(T* value, detail::rc_block* block) noexcept : value_(value), block_(block) {}

  T* value_ = nullptr;
  detail::rc_block* block_ = nullptr;
};

/// Makes a value of these, and the first `rc` to it.
template <class T, class... A>
rc<T> make_rc(A&&... args) {
  auto* const block = new detail::rc_block_of<T>(std::forward<A>(args)...);
  return rc<T>(&block->value, block);
}

/// Refers to the value of an `rc` without keeping it alive.
/// Threads: as `rc`, and not `is_send` either.
template <class T>
class weak_rc {
 public:
  using not_send = void;

  constexpr weak_rc() noexcept = default;
  weak_rc(const rc<T>& strong) noexcept : value_(strong.value_), block_(strong.block_) {
    if (block_ != nullptr) block_->add_weak();
  }
  weak_rc(const weak_rc& other) noexcept : value_(other.value_), block_(other.block_) {
    if (block_ != nullptr) block_->add_weak();
  }
  weak_rc(weak_rc&& other) noexcept
      : value_(std::exchange(other.value_, nullptr)),
        block_(std::exchange(other.block_, nullptr)) {}
  weak_rc& operator=(weak_rc other) noexcept {
    std::swap(value_, other.value_);
    std::swap(block_, other.block_);
    return *this;
  }
  ~weak_rc() {
    if (block_ != nullptr) block_->drop_weak();
  }

  /// The value, if it is still there; else an empty rc.
  rc<T> lock() const noexcept {
    if (expired()) return {};
    block_->add();
    return rc<T>(value_, block_);
  }
  /// True when the value is gone.
  bool expired() const noexcept { return block_ == nullptr || block_->strong == 0; }

 private:
  T* value_ = nullptr;
  detail::rc_block* block_ = nullptr;
};

}}  // namespace eddy::EDDY_ABI
