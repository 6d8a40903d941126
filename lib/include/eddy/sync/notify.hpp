#pragma once

#include <memory>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/sync/detail/notify_core.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {
/// What waits: holds the notify by reference, or by a share of it.
template <class Holder>
class notified_leaf;
struct notify_access;
}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

/// Tells tasks that something has happened; what, they look up elsewhere.
///
/// A `notify_one` that finds nobody waiting is kept, once, for the next who waits. So the pattern "change the
/// state, then notify_one" and "look at the state, else await notified()" loses nothing:
/// `while (!queue.take(x)) co_await n.notified();`.
/// Threads: any; in a build without the pool one loop's.
/// Lifetime: outlives every call on it and every `notified` leaf but the owned ones.
class notify {
 public:
  /// Waits until it is told: by the kept `notify_one`, by one that comes, or by a `notify_waiters` from now
  /// on (from this call on, not from the first poll).
  ///
  /// First come, first told. `auto n = x.notified(); n.enable();` takes the place in the queue before it is
  /// awaited: enable, look at the state, then `co_await n`.
  /// Cancel safety: only the place in the queue is lost; a `notify_one` that had chosen it goes to the next.
  /// Cost: no allocation; a compare-and-swap when it has been told already.
  detail::notified_leaf<notify*> notified() noexcept;
  /// The same with a share in it, for leaves that may outlive everything else that holds it.
  /// Cancel safety, Cost: as `notified`.
  static detail::notified_leaf<std::shared_ptr<notify>> notified_owned(
      std::shared_ptr<notify> n) noexcept;

  /// Tells the one that has waited longest, or else the next to come. Calls that nobody has heard yet are one.
  /// Cost: a compare-and-swap when nobody waits.
  void notify_one() noexcept { core_.tell(core::phase::told_one); }
  /// The same, but tells the one that came last.
  void notify_last() noexcept { core_.tell(core::phase::told_last); }
  /// Tells everybody who waits, and every `notified()` made before; nothing is kept for later.
  void notify_waiters() noexcept { core_.tell_all(); }

 private:
  friend detail::notify_access;
  using core = detail::basic_notify<detail::sync_memory>;
  core core_;
};

}}}  // namespace eddy::EDDY_ABI::sync

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct notify_access {
  static basic_notify<sync_memory>& of(sync::notify& n) noexcept { return n.core_; }
};

template <class Holder>
class [[nodiscard]] notified_leaf {
 public:
  explicit notified_leaf(Holder n) noexcept
      : of_(std::move(n)), node_(notify_access::of(*of_).calls()) {}
  notified_leaf(notified_leaf&& other) noexcept
      : of_(std::exchange(other.of_, nullptr)), node_(std::move(other.node_)) {}
  notified_leaf& operator=(notified_leaf&&) = delete;
  ~notified_leaf() {
    if (of_ != nullptr) notify_access::of(*of_).leave(node_);
  }

  polled<> poll(context& cx) noexcept {
    if (notify_access::of(*of_).poll(node_, cx)) return ready;
    return pending;
  }
  /// Takes its place in the queue now, as a poll would, without anybody to wake. True when it has been told
  /// already. It must not be moved from then on.
  bool enable() noexcept { return notify_access::of(*of_).enable(node_); }

 private:
  Holder of_;
  notify_waiter<sync_memory> node_;
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

inline detail::notified_leaf<notify*> notify::notified() noexcept {
  return detail::notified_leaf<notify*>(this);
}
inline detail::notified_leaf<std::shared_ptr<notify>> notify::notified_owned(
    std::shared_ptr<notify> n) noexcept {
  return detail::notified_leaf<std::shared_ptr<notify>>(std::move(n));
}

}}}  // namespace eddy::EDDY_ABI::sync
