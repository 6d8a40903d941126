#pragma once

#include <concepts>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/stream/base.hpp>
#include <eddy/stream/detail/boxed_slot.hpp>
#include <eddy/stream/detail/then.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class X>
concept receives = requires(X& x) {
  { x.recv() } -> pollable;
};
template <class X>
concept ticks = requires(X& x) {
  { x.tick() } -> pollable;
};
template <class X>
concept accepts = requires(X& x) {
  { x.accept() } -> pollable;
};
template <class X>
concept watches = requires(X& x) {
  { x.changed() } -> pollable;
  *x.borrow_and_update();
};

/// What broadcast's `recv()` comes to: an item, word of missed ones, or the end.
template <class V>
concept item_or_word = requires(V& v) {
  *v;
  { v.has_item() } -> std::same_as<bool>;
  { v.is_closed() } -> std::same_as<bool>;
};

/// The value that a leaf's outcome V stands for.
template <class V>
struct item_of {
  using type = V;
};
template <class V>
  requires(is_optional_v<V> || item_or_word<V>)
struct item_of<V> {
  using type = std::remove_cvref_t<decltype(*std::declval<V&>())>;
};

struct take_recv {
  auto operator()(auto& x) const { return x.recv(); }
};
struct take_tick {
  auto operator()(auto& x) const { return x.tick(); }
};
struct take_accept {
  auto operator()(auto& x) const { return x.accept(); }
};

/// Adds `next()` and the adapters.
template <class S>
class [[nodiscard]] wrapped_stream : public adapter<wrapped_stream<S>, S> {
 public:
  explicit wrapped_stream(S&& s) : adapter<wrapped_stream, S>(std::move(s)) {}
  next_polled<stream_value<S>> poll_next(context& cx) noexcept {
    return poll_stream(this->inner_, cx);
  }
};

/// What a leaf that `Take` makes of the source comes to, again and again. The leaf lives while it waits; a move
/// drops it, and the next poll makes another.
template <class Source, class Take>
class [[nodiscard]] source_stream : public stream_base<source_stream<Source, Take>> {
  using leaf = std::invoke_result_t<Take, Source&>;
  using V = typename outcome_of<leaf>::value_type;
  static_assert(std::is_same_v<typename outcome_of<leaf>::error_type, error>,
                "eddy: a source that fails with an error type of its own");
  using T = typename item_of<V>::type;

 public:
  explicit source_stream(Source&& source) : source_(std::move(source)) {}
  source_stream(source_stream&& other) noexcept(std::is_nothrow_move_constructible_v<Source>)
      : source_((other.waiting_.reset(), std::move(other.source_))), ended_(other.ended_) {}
  source_stream& operator=(source_stream&&) = delete;

  next_polled<T> poll_next(context& cx) noexcept {
    next_polled<T> out(pending);
    if (ended_) {
      finish(out);
      return out;
    }
    if (!waiting_) catching(out, [&] { waiting_.emplace(Take()(source_)); });
    if (out) return out;
    auto p = poll_as_result(*waiting_, cx);
    if (p) {
      waiting_.reset();
      catching(out, [&] { answer(out, *p); });
    }
    return out;
  }
  bool is_terminated() const noexcept { return ended_; }
  /// What the values come from. Nobody may take values from it while the stream waits.
  Source& inner() & noexcept { return source_; }
  Source&& inner() && noexcept {
    waiting_.reset();
    return std::move(source_);
  }

 private:
  void answer(next_polled<T>& out, result<V>& r) {
    if (!r.has_value())
      fail(out, std::move(r).error());
    else if constexpr (std::is_same_v<T, V>)
      give(out, *std::move(r));
    else
      open(out, *std::move(r));
  }
  void open(next_polled<T>& out, V&& v) {
    ended_ = !v;
    if (ended_)
      finish(out);
    else if (missed(v))
      fail(out, error(errc::lagged, "broadcast"));
    else
      give(out, *std::move(v));
  }
  static bool missed(const V& v) noexcept {
    if constexpr (item_or_word<V>)
      return !v.has_item();
    else
      return false;
  }

  Source source_;
  std::optional<leaf> waiting_;
  bool ended_ = false;
};

/// The value of a watch channel whenever it has changed; a change that is overtaken by another is not seen.
template <class Receiver>
class [[nodiscard]] watch_stream : public stream_base<watch_stream<Receiver>> {
  using leaf = decltype(std::declval<Receiver&>().changed());
  using T = std::remove_cvref_t<decltype(*std::declval<Receiver&>().borrow_and_update())>;

 public:
  watch_stream(Receiver&& receiver, bool with_present)
      : receiver_(std::move(receiver)), present_(with_present) {
    if (!with_present) std::ignore = receiver_.borrow_and_update();
  }
  watch_stream(watch_stream&& other) noexcept(std::is_nothrow_move_constructible_v<Receiver>)
      : receiver_((other.waiting_.reset(), std::move(other.receiver_))),
        present_(other.present_),
        ended_(other.ended_) {}
  watch_stream& operator=(watch_stream&&) = delete;

  next_polled<T> poll_next(context& cx) noexcept {
    next_polled<T> out(pending);
    if (!present_ && !ended_) wait(out, cx);
    if (present_) {
      present_ = false;
      catching(out, [&] { give(out, *receiver_.borrow_and_update()); });
    } else if (ended_) {
      finish(out);
    }
    return out;
  }
  bool is_terminated() const noexcept { return ended_; }

 private:
  void wait(next_polled<T>& out, context& cx) noexcept {
    if (!waiting_) catching(out, [&] { waiting_.emplace(receiver_.changed()); });
    if (out) return;
    auto p = poll_as_result(*waiting_, cx);
    if (!p) return;
    waiting_.reset();
    if (!p->has_value()) return fail(out, std::move(*p).error());
    present_ = **p;
    ended_ = !present_;  // every sender has gone
  }

  Receiver receiver_;
  std::optional<leaf> waiting_;
  bool present_;  // there is a value to give
  bool ended_ = false;
};

/// The one value of a future or a leaf.
template <class X>
class [[nodiscard]] single_stream : public stream_base<single_stream<X>> {
  using work = branch<X>;
  using U = branch_value<work>;

 public:
  explicit single_stream(X&& x) { work_.emplace(std::move(x)); }
  next_polled<U> poll_next(context& cx) noexcept {
    next_polled<U> out(pending);
    if (!work_) {
      finish(out);
    } else if (auto p = work_->poll(cx)) {
      give_outcome(out, std::move(*p));
      work_.reset();
    }
    return out;
  }
  bool is_terminated() const noexcept { return !work_; }

 private:
  parked<work> work_;
};

}}}  // namespace eddy::EDDY_ABI::detail
