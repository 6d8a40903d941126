#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>
#include <eddy/sync/detail/mpsc_core.hpp>
#include <eddy/sync/detail/mpsc_send.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {
/// A message that needs no more than a move, which may be under the lock. Any other is made before it, for
/// a user's constructor may use the channel.
template <class T, class... A>
concept mpsc_only_moved = sizeof...(A) == 1 && (std::is_same_v<A, T> && ...);
}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync::mpsc {

template <class T>
class sender;

/// A place in the channel for one message: sending takes no waiting and cannot fail. Destroyed unused it
/// gives the place back. If the receiver is gone by then, the message is destroyed.
///
/// Lifetime: must not outlive the sender that made it; `owned_permit` may.
template <class T>
class [[nodiscard]] permit {
 public:
  permit(permit&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  permit& operator=(permit&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~permit() {
    if (core_ != nullptr) core_->give(1);
  }
  /// Sends, and uses the permit up. A second time: misuse.
  void send(T value) { emplace(std::move(value)); }
  /// The same with a message made from `args`. If the making throws, this is as it was; if the message's own move
  /// does, the place has been used, and is free.
  template <class... A>
  void emplace(A&&... args) {
    if (core_ == nullptr) detail::misuse("a permit was used twice");
    if constexpr (detail::mpsc_only_moved<T, A...>)
      std::exchange(core_, nullptr)->put_reserved(std::forward<A>(args)...);
    else
      send(T(std::forward<A>(args)...));
  }

 private:
  template <class, class, class>
  friend class detail::mpsc_reserve;
  template <class>
  friend class permits;
  friend sender<T>;
  explicit permit(detail::mpsc_core<T>* core, std::uint32_t = 1) noexcept : core_(core) {}

  detail::mpsc_core<T>* core_;  // null: used
};

/// Several places at once, from `reserve_many`: sent into one by one, or taken apart into permits. What is
/// not used is given back.
///
/// Lifetime: must not outlive the sender that made it.
template <class T>
class [[nodiscard]] permits {
 public:
  permits(permits&& other) noexcept : core_(other.core_), count_(std::exchange(other.count_, 0)) {}
  permits& operator=(permits&& other) noexcept {
    std::swap(core_, other.core_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~permits() {
    if (count_ != 0) core_->give(count_);
  }
  /// Places that are left.
  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  /// One of them; nothing when all are used.
  std::optional<permit<T>> next() noexcept {
    if (count_ == 0) return std::nullopt;
    --count_;
    return permit<T>(core_);
  }
  /// Sends into one of them. With none left: misuse.
  void send(T value) { emplace(std::move(value)); }
  /// The same with a message made from `args`. If the making throws, this is as it was; if the message's own move
  /// does, the place has been used, and is free.
  template <class... A>
  void emplace(A&&... args) {
    if (count_ == 0) detail::misuse("all places of these permits have been used");
    if constexpr (detail::mpsc_only_moved<T, A...>) {
      --count_;
      core_->put_reserved(std::forward<A>(args)...);
    } else {
      send(T(std::forward<A>(args)...));
    }
  }

 private:
  template <class, class, class>
  friend class detail::mpsc_reserve;
  friend sender<T>;
  permits(detail::mpsc_core<T>* core, std::uint32_t count) noexcept : core_(core), count_(count) {}

  detail::mpsc_core<T>* core_;
  std::uint32_t count_;
};

/// A permit that holds the sender it was made from, which comes back when it is used.
template <class T>
class [[nodiscard]] owned_permit {
 public:
  owned_permit(owned_permit&&) noexcept = default;
  owned_permit& operator=(owned_permit&& other) noexcept {
    std::swap(sender_, other.sender_);
    return *this;
  }
  ~owned_permit() {
    if (sender_.core_ != nullptr) sender_.core_->give(1);
  }
  /// Sends, and gives the sender back. A second time: misuse.
  sender<T> send(T value) { return emplace(std::move(value)); }
  /// The same with a message made from `args`. If the making throws, this is as it was; if the message's own move
  /// does, the place has been used, and is free.
  template <class... A>
  sender<T> emplace(A&&... args) {
    if constexpr (detail::mpsc_only_moved<T, A...>) {
      sender<T> kept = take();
      kept.core_->put_reserved(std::forward<A>(args)...);
      return kept;
    } else {
      return send(T(std::forward<A>(args)...));
    }
  }
  /// Gives the place back, and the sender to the caller.
  sender<T> release() {
    sender<T> kept = take();
    kept.core_->give(1);
    return kept;
  }
  bool same_channel(const owned_permit& other) const noexcept {
    return sender_.same_channel(other.sender_);
  }
  bool same_channel(const sender<T>& other) const noexcept { return sender_.same_channel(other); }

 private:
  template <class, class, class>
  friend class detail::mpsc_reserve;
  friend sender<T>;
  explicit owned_permit(sender<T>&& from, std::uint32_t = 1) noexcept : sender_(std::move(from)) {}

  sender<T> take() {
    if (sender_.core_ == nullptr) detail::misuse("an owned permit was used twice");
    return std::move(sender_);
  }

  sender<T> sender_;  // moved from: used
};

}}}  // namespace eddy::EDDY_ABI::sync::mpsc
