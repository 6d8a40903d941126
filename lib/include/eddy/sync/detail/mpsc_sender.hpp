#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/sync/detail/mpsc_core.hpp>
#include <eddy/sync/detail/mpsc_send.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A counted sending half, of either kind of channel: what `sender` and `unbounded_sender` share.
template <class T>
class mpsc_sender {
 public:
  mpsc_sender(const mpsc_sender& other) noexcept : core_(other.core_) {
    if (core_ != nullptr) core_->add_sender();
  }
  mpsc_sender(mpsc_sender&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  mpsc_sender& operator=(mpsc_sender other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~mpsc_sender() {
    if (core_ == nullptr) return;
    core_->drop_sender();
    core_->release();
  }

  /// Waits until the receiver is gone, or has closed the channel: nobody wants messages any more.
  ///
  /// Cancel safety: nothing is lost.
  /// Cost: no allocation.
  mpsc_closed_leaf closed() const noexcept { return mpsc_closed_leaf(core_); }
  /// True when the receiver is gone, or has closed the channel.
  bool is_closed() const noexcept { return core_->is_closed(); }
  /// Both send to the same receiver.
  bool same_channel(const mpsc_sender& other) const noexcept { return core_ == other.core_; }
  /// Senders, and owned permits, which hold one.
  std::size_t strong_count() const noexcept { return core_->senders(); }
  std::size_t weak_count() const noexcept { return core_->weak_senders(); }

 protected:
  template <class, class>
  friend class mpsc_weak_sender;

  /// Takes over one that `core` has counted.
  explicit mpsc_sender(mpsc_core<T>* core) noexcept : core_(core) {}

  mpsc_core<T>* core_;  // null: moved from
};

/// A way to a `Sender` that does not keep the channel open.
template <class T, class Sender>
class mpsc_weak_sender {
 public:
  mpsc_weak_sender(const mpsc_weak_sender& other) noexcept : core_(other.core_) {
    if (core_ != nullptr) core_->add_weak();
  }
  mpsc_weak_sender(mpsc_weak_sender&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)) {}
  mpsc_weak_sender& operator=(mpsc_weak_sender other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~mpsc_weak_sender() {
    if (core_ == nullptr) return;
    core_->drop_weak();
    core_->release();
  }

  /// A sender, if there still is one; else nothing, and there never will be.
  std::optional<Sender> upgrade() const noexcept {
    if (!core_->revive_sender()) return std::nullopt;
    return Sender(core_);
  }
  std::size_t strong_count() const noexcept { return core_->senders(); }
  std::size_t weak_count() const noexcept { return core_->weak_senders(); }

 private:
  friend Sender;
  explicit mpsc_weak_sender(mpsc_core<T>* core) noexcept : core_(core) { core->add_weak(); }

  mpsc_core<T>* core_;  // null: moved from
};

}}}  // namespace eddy::EDDY_ABI::detail
