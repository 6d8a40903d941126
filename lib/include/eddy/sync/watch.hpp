#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/sync/detail/wait_list.hpp>
#include <eddy/sync/detail/watch_state.hpp>
#include <eddy/sync/send_error.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct watch_access;

/// The shared block of a channel of `T`.
template <class T>
class watch_core final : public watch_state<sync_memory> {
 public:
  static watch_core* make(T&& initial) {
    struct memory {
      void* place = frame_allocate(sizeof(watch_core));
      ~memory() {
        if (place != nullptr) frame_release(place, sizeof(watch_core));
      }
    } block;
    if (block.place == nullptr) fatal("out of memory");
    auto* const made = ::new (block.place) watch_core(std::move(initial));
    block.place = nullptr;
    return made;
  }
  void release() noexcept {
    if (!release_one()) return;
    this->~watch_core();
    frame_release(this, sizeof(watch_core));
  }

  T value;  // by begin_borrow or begin_change

 private:
  explicit watch_core(T&& initial) : value(std::move(initial)) {}
  ~watch_core() = default;
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync::watch {

template <class T>
class receiver;

/// A look at the value of a watch channel. While one is alive nobody can send, so look, and let go: best
/// within one expression, and never across an await.
///
/// Threads: stays on its thread.
/// Lifetime: must not outlive the handle it was borrowed from.
template <class T>
class [[nodiscard]] ref {
 public:
  using not_send = void;

  ref(ref&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), has_changed_(other.has_changed_) {}
  ref& operator=(ref&&) = delete;
  ~ref() {
    if (core_ != nullptr) core_->end_borrow();
  }

  const T& operator*() const noexcept { return core_->value; }
  const T* operator->() const noexcept { return &core_->value; }
  /// True when the receiver had not seen this value before it was borrowed.
  bool has_changed() const noexcept { return has_changed_; }

 private:
  friend detail::watch_access;
  ref(detail::watch_core<T>* core, bool has_changed) noexcept
      : core_(core), has_changed_(has_changed) {}

  detail::watch_core<T>* core_;
  bool has_changed_;
};

}}}  // namespace eddy::EDDY_ABI::sync::watch

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct watch_access {
  template <class T>
  static sync::watch::ref<T> borrow(watch_core<T>& core, std::uint64_t& seen,
                                    bool update) noexcept {
    core.begin_borrow();
    const auto now = core.version();
    const bool changed = now != seen;
    if (update) seen = now;
    return sync::watch::ref<T>(&core, changed);
  }
  template <class Ends, class T>
  static Ends make(T&& initial) {
    auto* const c = watch_core<std::remove_cvref_t<T>>::make(std::move(initial));
    return {typename Ends::sender_type(c), typename Ends::receiver_type(c, 0)};
  }
};

/// Waits for a value that a receiver has not seen.
template <class T>
class [[nodiscard]] watch_changed {
 public:
  watch_changed(watch_core<T>* core, std::uint64_t* seen) noexcept : core_(core), seen_(seen) {}
  watch_changed(watch_changed&& other) noexcept : core_(other.core_), seen_(other.seen_) {}
  watch_changed& operator=(watch_changed&&) = delete;
  ~watch_changed() { place_.leave(core_->lock()); }

  polled<bool> poll(context& cx) noexcept {
    using news = typename watch_core<T>::news;
    const auto found = core_->poll(*seen_, place_, cx);
    if (found == news::none || !cx.proceed()) return pending;
    if (found == news::changed) *seen_ = core_->version();
    return found == news::changed;
  }

 private:
  watch_core<T>* core_;
  std::uint64_t* seen_;
  crowd_place place_;
};

/// Waits for a value that satisfies `F`.
template <class T, class F, class... A>
class [[nodiscard]] watch_wait_for {
  using found = std::optional<sync::watch::ref<T>>;

 public:
  template <class G, class... B>
  watch_wait_for(watch_core<T>* core, std::uint64_t* seen, G&& f, B&&... args)
      : core_(core), seen_(seen), f_(std::forward<G>(f)), args_(std::forward<B>(args)...) {}
  watch_wait_for(watch_wait_for&& other) noexcept(std::is_nothrow_move_constructible_v<F>)
      : core_(other.core_),
        seen_(other.seen_),
        f_(std::move(other.f_)),
        args_(std::move(other.args_)) {}
  watch_wait_for& operator=(watch_wait_for&&) = delete;
  ~watch_wait_for() { place_.leave(core_->lock()); }

  polled<result<found>> poll(context& cx) noexcept {
    return or_failed_move<found, error>([&] { return step(cx); });
  }

 private:
  polled<result<found>> step(context& cx) {
    using news = typename watch_core<T>::news;
    for (;;) {
      if (!has_looked_ || core_->look(*seen_) == news::changed) {
        auto now = watch_access::borrow(*core_, *seen_, true);
        if (std::apply([&](A&... args) { return bool(f_(*now, args...)); }, args_)) {
          has_looked_ = cx.proceed();
          if (!has_looked_) return pending;
          return result<found>(std::in_place, std::move(now));
        }
        has_looked_ = true;
      }
      switch (core_->poll(*seen_, place_, cx)) {
        case news::none:
          return pending;
        case news::closed:
          if (!cx.proceed()) return pending;
          return result<found>(std::nullopt);
        case news::changed:
          break;
      }
    }
  }

  watch_core<T>* core_;
  std::uint64_t* seen_;
  F f_;
  std::tuple<A...> args_;
  crowd_place place_;
  bool has_looked_ = false;
};

/// Waits until a channel has no receiver.
template <class T>
class [[nodiscard]] watch_closed {
 public:
  explicit watch_closed(watch_core<T>* core) noexcept : core_(core) {}
  watch_closed(watch_closed&& other) noexcept : core_(other.core_) {}
  watch_closed& operator=(watch_closed&&) = delete;
  ~watch_closed() { place_.leave(core_->lock()); }

  polled<> poll(context& cx) noexcept {
    if (!core_->poll_abandoned(place_, cx) || !cx.proceed()) return pending;
    return ready;
  }

 private:
  watch_core<T>* core_;
  crowd_place place_;
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync::watch {

/// Changes the value of a watch channel. Copies change the same one; when the last is gone, the receivers
/// find the end behind the last value.
///
/// Threads: any; in a build without the pool one loop's. One object is used by one thread at a time.
/// Errors: changing the value on a thread that borrows it just now would wait for ever. That ends the
/// program with one line: always while the process has one thread, else in builds with assertions.
/// Cost: no allocation; a wake for each receiver that waits.
template <class T>
class [[nodiscard]] sender {
 public:
  sender(const sender& other) noexcept : core_(other.core_) {
    if (core_ != nullptr) core_->add_sender();
  }
  sender(sender&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  sender& operator=(sender other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~sender() {
    if (core_ == nullptr) return;
    core_->drop_sender();
    core_->release();
  }

  /// Puts a new value in the place of the old one. Waits only while somebody borrows.
  /// Errors: `errc::closed` when there is no receiver; the value comes back in the error and is not kept:
  /// `send_replace` keeps it for receivers that come later.
  result<void, send_error<T>> send(T value) const {
    if (is_closed())
      return unexpected(send_error<T>(error(errc::closed, "watch send"), std::move(value)));
    static_cast<void>(send_replace(std::move(value)));
    return {};
  }
  /// The same with a value made from `args`.
  template <class... A>
    requires(std::is_constructible_v<T, A...>)
  result<void, send_error<T>> emplace(A&&... args) const {
    return send(T(std::forward<A>(args)...));
  }
  /// Puts a new value in the place of the old one, which is returned. Also when there is no receiver.
  T send_replace(T value) const {
    change now(core_);
    using std::swap;
    swap(core_->value, value);
    now.changed = true;
    return value;  // moved, and then the change is over
  }
  /// Changes the value in place by `f(value, args...)`. If that throws, receivers are not told.
  template <class F, class... A>
    requires(std::invocable<F, T&, A...>)
  void send_modify(F&& f, A&&... args) const {
    change now(core_);
    std::forward<F>(f)(core_->value, std::forward<A>(args)...);
    now.changed = true;
  }
  /// The same; receivers are told only if `f` returns true, which is returned.
  template <class F, class... A>
    requires(std::predicate<F, T&, A...>)
  bool send_if_modified(F&& f, A&&... args) const {
    change now(core_);
    now.changed = std::forward<F>(f)(core_->value, std::forward<A>(args)...);
    return now.changed;
  }

  /// The value as it is.
  ref<T> borrow() const noexcept {
    auto any = core_->version();
    auto now = detail::watch_access::borrow(*core_, any, false);
    return now;
  }
  /// A receiver, for which the value as it is counts as seen.
  receiver<T> subscribe() const noexcept;
  /// Waits until there is no receiver.
  ///
  /// Cancel safety: nothing is lost.
  /// Lifetime: a sender of the channel stays alive while this is awaited.
  detail::watch_closed<T> closed() const noexcept { return detail::watch_closed<T>(core_); }
  /// True when there is no receiver; `subscribe` may make one again.
  bool is_closed() const noexcept { return receiver_count() == 0; }
  /// Receivers there are.
  std::size_t receiver_count() const noexcept { return core_->receivers(); }
  /// Senders there are.
  std::size_t sender_count() const noexcept { return core_->senders(); }
  /// True when both send into one channel.
  bool same_channel(const sender& other) const noexcept { return core_ == other.core_; }

 private:
  using core = detail::watch_core<T>;
  friend detail::watch_access;
  explicit sender(core* c) noexcept : core_(c) {}

  struct change {
    explicit change(core* c) noexcept : of(c) { of->begin_change(); }
    change(const change&) = delete;
    ~change() { of->end_change(changed); }
    core* of;
    bool changed = false;
  };

  core* core_;  // null: moved from
};

/// Sees the last value of a watch channel, and learns of changes; of several changes in a row, perhaps only
/// of the last. A copy has seen what this has seen.
///
/// Threads: any, one at a time; in a build without the pool one loop's.
template <class T>
class [[nodiscard]] receiver {
 public:
  receiver(const receiver& other) noexcept : core_(other.core_), seen_(other.seen_) {
    if (core_ != nullptr) core_->add_receiver();
  }
  receiver(receiver&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), seen_(other.seen_) {}
  receiver& operator=(receiver other) noexcept {
    std::swap(core_, other.core_);
    std::swap(seen_, other.seen_);
    return *this;
  }
  ~receiver() {
    if (core_ == nullptr) return;
    core_->drop_receiver();
    core_->release();
  }

  /// The value as it is; it does not count as seen.
  ref<T> borrow() const noexcept {
    auto seen = seen_;
    return detail::watch_access::borrow(*core_, seen, false);
  }
  /// The value as it is, which counts as seen from now on.
  ref<T> borrow_and_update() noexcept { return detail::watch_access::borrow(*core_, seen_, true); }

  /// Waits for a value that this has not seen, and counts it as seen: true. False when there is none, and
  /// every sender is gone: `while (co_await rx.changed()) { auto now = *rx.borrow(); use(now); }` (on g++ 12
  /// with a variable, as here: docs/pitfalls.md).
  ///
  /// Cancel safety: nothing is lost.
  /// Lifetime: the receiver stays where it is while this is awaited.
  detail::watch_changed<T> changed() noexcept { return detail::watch_changed<T>(core_, &seen_); }
  /// Waits until `f(value, args...)` is true, and borrows that value; it may be the one that is there. Nothing
  /// when every sender is gone and the last value is none such. What was looked at counts as seen.
  ///
  /// Cancel safety: nothing is lost but that values count as seen.
  /// Lifetime: the receiver stays where it is while this is awaited.
  /// Errors: what `f` throws. It is called while the value is borrowed, and must not send.
  template <class F, class... A>
    requires(std::predicate<std::decay_t<F>&, const T&, std::decay_t<A>&...>)
  detail::watch_wait_for<T, std::decay_t<F>, std::decay_t<A>...> wait_for(F&& f, A&&... args) {
    return {core_, &seen_, std::forward<F>(f), std::forward<A>(args)...};
  }

  /// True when there is a value that this has not seen.
  bool has_changed() const noexcept { return core_->version() != seen_; }
  /// Counts the value as not seen, or as seen.
  void mark_changed() noexcept { seen_ = core_->version() - detail::watch_core<T>::step; }
  /// The value counts as seen.
  void mark_unchanged() noexcept { seen_ = core_->version(); }
  /// True when there is no sender any more; there may be a value that this has not seen.
  bool is_closed() const noexcept { return core_->has_no_sender(); }
  /// True when both receive from one channel.
  bool same_channel(const receiver& other) const noexcept { return core_ == other.core_; }

 private:
  using core = detail::watch_core<T>;
  friend sender<T>;
  friend detail::watch_access;
  receiver(core* c, std::uint64_t seen) noexcept : core_(c), seen_(seen) {}

  core* core_;          // null: moved from
  std::uint64_t seen_;  // the version
};

template <class T>
receiver<T> sender<T>::subscribe() const noexcept {
  core_->add_receiver();
  return receiver<T>(core_, core_->version());
}

/// Both ends of a channel.
template <class T>
struct ends {
  using sender_type = sender<T>;
  using receiver_type = receiver<T>;
  sender<T> tx;    ///< sends
  receiver<T> rx;  ///< receives
};

/// A value that may change, and those who watch it: `auto [tx, rx] = eddy::sync::watch::channel(config());`
/// The first value counts as seen.
///
/// Cost: one block.
template <class T>
ends<T> channel(T initial) {
  return detail::watch_access::make<ends<T>>(std::move(initial));
}

}}}  // namespace eddy::EDDY_ABI::sync::watch
