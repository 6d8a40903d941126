#pragma once

#include <cerrno>
#include <concepts>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/memory.hpp>
#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/cell.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/sync/send_error.hpp>
#include <eddy/task/detail/thread_waiter.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace sync::oneshot {

template <class T>
class sender;
template <class T>
class receiver;

}}}  // namespace eddy::EDDY_ABI::sync::oneshot

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct oneshot_access;

/// Waits until the receiver of `tx` is gone.
template <class T>
class [[nodiscard]] oneshot_closed {
 public:
  explicit oneshot_closed(sync::oneshot::sender<T>& tx) noexcept : tx_(&tx) {}
  polled<> poll(context& cx) noexcept { return tx_->poll_closed(cx); }

 private:
  sync::oneshot::sender<T>* tx_;
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync::oneshot {

/// The sending end: sends one value, without waiting, from anywhere. Dropped without that, it closes the
/// channel.
///
/// Threads: any, one at a time; in a build without the pool one loop's.
template <class T>
class [[nodiscard]] sender {
 public:
  sender(sender&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  sender& operator=(sender&& other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~sender() {
    if (cell_ == nullptr) return;
    cell_->publish();
    cell_->release();
  }

  /// Sends, and wakes the receiver: `std::move(tx).send(v)`. Nobody may ever take the value: the receiver
  /// may go at any time later, and drop it.
  ///
  /// Errors: `errc::closed` when the receiver is gone or has closed; the value comes back in the error.
  /// If the value's own constructor throws, `send` does, and the sender is as before.
  result<void, send_error<T>> send(detail::void_to_unit<T> value) &&
      requires(!std::is_void_v<T>) { return std::move(*this).emplace(std::move(value)); }
      /// The same for a channel without values.
      result<void, send_error<T>> send() &&
      requires(std::is_void_v<T>) { return std::move(*this).emplace(); }
      /// The same with a value made from `args`.
      template <class... A>
        requires(std::constructible_from<detail::void_to_unit<T>, A...>)
      result<void, send_error<T>> emplace(A&&... args) && {
    cell& c = expect_cell();
    if (c.is_abandoned()) return unexpected(rejected(std::forward<A>(args)...));
    c.put(std::forward<A>(args)...);
    struct at_end {
      sender* self;
      ~at_end() { std::exchange(self->cell_, nullptr)->release(); }
    } guard{this};
    if (!c.publish()) return unexpected(rejected(std::move(c.value())));
    return {};
  }

  /// Waits until the receiver is dropped or closes: what is computed for it can be given up.
  ///
  ///   auto done = co_await eddy::select(tx.closed(), compute());
  ///
  /// Cancel safety: nothing is lost.
  /// Lifetime: the sender stays where it is while this is awaited.
  detail::oneshot_closed<T> closed() noexcept { return detail::oneshot_closed<T>(*this); }
  /// One step of `closed`, for leaves of one's own.
  polled<> poll_closed(context& cx) noexcept {
    if (cell_ == nullptr) detail::fatal("a oneshot sender was used after it had sent");
    if (!cell_->poll_abandoned(cx) || !cx.proceed()) return pending;
    return ready;
  }
  /// True when the receiver is gone or has closed: a send would fail.
  bool is_closed() const { return expect_cell().is_abandoned(); }

 private:
  using cell = detail::cell<T, detail::sync_memory>;
  friend detail::oneshot_access;
  explicit sender(cell* c) noexcept : cell_(c) {}

  cell& expect_cell() const {
    if (cell_ == nullptr)
      detail::misuse("a oneshot sender was used after it had sent, or was moved from");
    return *cell_;
  }
  template <class... A>
  static send_error<T> rejected(A&&... args) {
    return send_error<T>(error(errc::closed, "oneshot send"),
                         detail::void_to_unit<T>(std::forward<A>(args)...));
  }

  cell* cell_;
};

/// The receiving end, itself what is awaited: `T v = co_await rx;`. In a select loop it is given by lvalue.
///
/// Cancel safety: nothing is lost while the receiver lives; await it again.
/// Threads: any, one at a time; in a build without the pool one loop's. May be moved at any time.
/// Errors: `errc::closed` when the sender is dropped without sending, or nothing had been sent before
/// `close`; awaiting again after the outcome is misuse.
/// Cost: one block for both ends.
template <class T>
class [[nodiscard]] receiver {
 public:
  receiver(receiver&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  receiver& operator=(receiver&& other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~receiver() {
    if (cell_ == nullptr) return;
    cell_->abandon();
    cell_->release();
  }

  polled<result<T>> poll(context& cx) noexcept {
    if (cell_ == nullptr)
      return result<T>(error(errc::misuse, "a oneshot receiver was awaited after its outcome"));
    if (!cell_->poll(cx) || !cx.proceed()) return pending;
    return detail::or_failed_move<T, error>([this]() -> polled<result<T>> { return take(); });
  }

  /// The value if it is there, else an error equal to `std::errc::operation_would_block`, or
  /// `errc::closed` when there will be none, or it has been received.
  result<T> try_recv() {
    if (cell_ == nullptr) return closed_error();
    if (cell_->is_filled() || cell_->is_abandoned()) return take();
    return error::system(EAGAIN, "oneshot try_recv");
  }
  /// Waits on an ordinary thread. Errors: as the await; misuse on a thread that drives a loop.
  T blocking_recv() { return detail::block_thread("blocking_recv", *this).take().value(); }
  /// Lets no value in from now on; one that has been sent can still be received. Wakes who waits for `closed`.
  void close() noexcept {
    if (cell_ != nullptr) cell_->abandon();
  }
  /// True once the outcome, value or error, has been taken.
  bool is_terminated() const noexcept { return cell_ == nullptr; }
  /// True when there is no value to take: none has been sent yet, or ever will be, or it has been taken.
  bool is_empty() const noexcept {
    return cell_ == nullptr || !cell_->is_filled() || !cell_->has_value();
  }

 private:
  using cell = detail::cell<T, detail::sync_memory>;
  friend detail::oneshot_access;
  explicit receiver(cell* c) noexcept : cell_(c) {}

  static error closed_error() noexcept { return error(errc::closed, "oneshot recv"); }
  result<T> take() {
    struct release_at_end {
      cell* c;
      ~release_at_end() { c->release(); }
    } guard{std::exchange(cell_, nullptr)};
    if (!guard.c->is_filled() || !guard.c->has_value()) return closed_error();
    return guard.c->take();
  }

  cell* cell_;
};

/// Both ends of a channel.
template <class T>
struct ends {
  sender<T> tx;    ///< sends
  receiver<T> rx;  ///< receives
};

}}}  // namespace eddy::EDDY_ABI::sync::oneshot

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct oneshot_access {
  template <class T>
  static sync::oneshot::ends<T> make() {
    auto* const c = cell<T, sync_memory>::make();
    return {sync::oneshot::sender<T>(c), sync::oneshot::receiver<T>(c)};
  }
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync::oneshot {

/// A channel for one value: `auto [tx, rx] = eddy::sync::oneshot::channel<int>();`
///
/// Cost: one block from the frame allocator.
template <class T = void>
ends<T> channel() {
  return detail::oneshot_access::make<T>();
}

}}}  // namespace eddy::EDDY_ABI::sync::oneshot
