#pragma once

#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/sync/detail/mpsc_receive.hpp>
#include <eddy/sync/detail/mpsc_sender.hpp>
#include <eddy/sync/send_error.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace sync::mpsc {

template <class T>
class unbounded_sender;
template <class T>
struct unbounded_ends;
template <class T>
unbounded_ends<T> unbounded_channel();

/// A way to an `unbounded_sender` that does not keep the channel open.
template <class T>
using weak_unbounded_sender = detail::mpsc_weak_sender<T, unbounded_sender<T>>;

/// The sending half of an unbounded channel; copies send to the same receiver.
///
/// Threads: any; in a build without the pool one loop's.
template <class T>
class unbounded_sender : public detail::mpsc_sender<T> {
  using base = detail::mpsc_sender<T>;

 public:
  using value_type = T;

  /// Sends at once, from anywhere.
  ///
  /// Errors: when the channel is closed the message comes back.
  /// Cost: no allocation but one block for every 32 messages that are in the channel at once, from the
  /// frame allocator; a wake if the receiver waits.
  result<void, send_error<T>> send(T value) const { return put(std::move(value)); }
  /// `send` of a message made from `args`.
  template <class... A>
  result<void, send_error<T>> emplace(A&&... args) const {
    return put(T(std::forward<A>(args)...));
  }
  /// A sender that does not keep the channel open.
  weak_unbounded_sender<T> downgrade() const noexcept { return weak_unbounded_sender<T>(core_); }

 private:
  template <class U>
  friend unbounded_ends<U> unbounded_channel();
  template <class, class>
  friend class detail::mpsc_weak_sender;
  using base::base;
  using base::core_;

  result<void, send_error<T>> put(T&& value) const {
    core_->lock().lock();
    if (core_->take_any()) [[likely]] {
      core_->put_and_unlock(std::move(value));
      return {};
    }
    core_->lock().unlock();
    return result<void, send_error<T>>(unexpect, detail::mpsc_closed(), std::move(value));
  }
};

/// The receiving half of an unbounded channel.
///
/// Threads: one at a time, any; in a build without the pool one loop's.
/// Lifetime: a receiver outlives the awaits that it has made.
template <class T>
class unbounded_receiver : public detail::mpsc_receiver<T> {
  using base = detail::mpsc_receiver<T>;

 public:
  using value_type = T;

 private:
  template <class U>
  friend unbounded_ends<U> unbounded_channel();
  using base::base;
};

/// Both halves: `auto [tx, rx] = eddy::sync::mpsc::unbounded_channel<int>();`
template <class T>
struct unbounded_ends {
  unbounded_sender<T> tx;    ///< sends
  unbounded_receiver<T> rx;  ///< receives
};

/// Makes a channel whose senders never wait: it holds what the receiver has not taken yet, however much
/// that is. Prefer a bounded one unless something else limits it.
///
/// Cost: 128 bytes; memory for messages comes when they come, and goes when they are received.
template <class T>
unbounded_ends<T> unbounded_channel() {
  auto* const core = detail::mpsc_core<T>::make(0);
  return {unbounded_sender<T>(core), unbounded_receiver<T>(core)};
}

}}}  // namespace eddy::EDDY_ABI::sync::mpsc
