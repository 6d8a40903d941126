#pragma once

#include <chrono>
#include <cstddef>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>
#include <eddy/stream/concept.hpp>
#include <eddy/time/clock.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

// The adapters, each in the header of its name.
template <class S, class F>
class map_stream;
template <class S, class F>
class filter_map_stream;
template <class S, class F>
class map_while_stream;
template <class S, class F>
class filter_stream;
template <class S>
class take_stream;
template <class S, class F>
class take_while_stream;
template <class S>
class skip_stream;
template <class S, class F>
class skip_while_stream;
template <class S, class F>
class then_stream;
template <class A, class B>
class chain_stream;
template <class A, class B>
class merge_stream;
template <class S>
class fuse_stream;
template <class S>
class notify_close_stream;
template <class S>
class peekable_stream;
template <class S>
class results_stream;
template <class S>
class values_stream;
template <class S>
class ref_stream;
template <class S>
class throttle_stream;
template <class S>
class timeout_stream;
template <class S>
class chunks_timeout_stream;
template <class S>
class buffered_stream;
template <class S, class A, class F>
class fold_operation;
template <class S, class C>
class collect_operation;
template <class S, class F, bool Wanted>
class search_leaf;

}  // namespace detail

template <class T>
class boxed_stream;

/// What every stream of eddy's own derives from, and yours may: `struct ticks : eddy::stream_base<ticks>`.
/// `next()` and the adapters, of which `<eddy/stream/stream.hpp>` has the definitions.
///
/// An adapter takes the stream over: `std::move(s).map(f).filter(p).take(3)`; `s.by_ref().take(3)` leaves it
/// where it is. Adapters are streams in turn, hold what they adapt by value, allocate nothing unless they say
/// so, and pass the end and the failures of what they adapt on. A callable is called with each value, at most
/// once, in order; what it throws is a failure of that value only, and the stream goes on behind it.
///
/// Every stream here stays at its end once it has got there, and may be moved whenever it is not being polled.
/// Threads: one task's at a time.
template <class Self>
class stream_base {
 public:
  /// Waits for the next value: `while (auto v = co_await s.next()) use(*v);`. Nothing: the stream has ended.
  /// Cancel safety: nothing is lost.
  /// Lifetime: borrows the stream.
  /// Errors: a stream that fails throws here; `attempt(s.next())` is a `result` of an optional.
  auto next() noexcept { return detail::stream_next_leaf<Self>(static_cast<Self&>(*this)); }

  /// `f(v)` for each value.
  template <class F>
  auto map(F f) && {
    return detail::map_stream<Self, F>(self(), std::move(f));
  }
  /// The values for which `f(v)`, given a const reference, is true.
  template <class F>
  auto filter(F f) && {
    return detail::filter_stream<Self, F>(self(), std::move(f));
  }
  /// `*f(v)` for each value for which that optional is not empty.
  template <class F>
  auto filter_map(F f) && {
    return detail::filter_map_stream<Self, F>(self(), std::move(f));
  }
  /// `*f(v)` for each value up to the first for which that optional is empty; there the stream ends.
  template <class F>
  auto map_while(F f) && {
    return detail::map_while_stream<Self, F>(self(), std::move(f));
  }
  /// What each `f(v)`, a future or a leaf, comes to, one after the other; `buffered` runs several at once.
  /// Cancel safety: dropping an await of `next()` leaves the future that runs in the stream, to go on later.
  /// Cost: one block of the frame allocator for the stream, besides the futures' own frames.
  template <class F>
  auto then(F f) && {
    return detail::then_stream<Self, F>(self(), std::move(f));
  }
  /// The first `n` values. When they have come the stream is not polled any more.
  auto take(std::size_t n) && { return detail::take_stream<Self>(self(), n); }
  /// The values up to the first for which `f(v)` is false. That one is gone.
  template <class F>
  auto take_while(F f) && {
    return detail::take_while_stream<Self, F>(self(), std::move(f));
  }
  /// All but the first `n` values.
  auto skip(std::size_t n) && { return detail::skip_stream<Self>(self(), n); }
  /// All values from the first for which `f(v)` is false.
  template <class F>
  auto skip_while(F f) && {
    return detail::skip_while_stream<Self, F>(self(), std::move(f));
  }

  /// All values of this stream, and then all of `after`. This one is destroyed at its end.
  template <stream B>
  auto chain(B after) && {
    return detail::chain_stream<Self, B>(self(), std::move(after));
  }
  /// The values of both as they come, until both have ended. Each in turn is asked first.
  template <stream B>
  auto merge(B other) && {
    return detail::merge_stream<Self, B>(self(), std::move(other));
  }

  /// Ends at the first end of a stream that would go on behind it; eddy's own streams do not.
  auto fuse() && { return detail::fuse_stream<Self>(self()); }
  /// Each value as a filled optional, and an empty one as the last value.
  auto notify_close() && { return detail::notify_close_stream<Self>(self()); }
  /// A stream whose next value can be looked at: `if (int* v = co_await s.peek()) …`.
  auto peekable() && { return detail::peekable_stream<Self>(self()); }
  /// Values and failures alike as values: a stream of `result<T>` that does not fail.
  auto results() && { return detail::results_stream<Self>(self()); }
  /// The contrary: of a stream of `result<T>` a stream of T that fails where the results do.
  auto values() && { return detail::values_stream<Self>(self()); }
  /// A stream that borrows this one.
  /// Lifetime: this stream's, which stays where it is meanwhile.
  auto by_ref() noexcept { return detail::ref_stream<Self>(static_cast<Self&>(*this)); }
  /// A stream whose type says only what it yields: `boxed_stream<T>`.
  /// Cost: one allocation, and a virtual call a poll.
  template <class Lazy = Self>
  auto boxed() && {
    return boxed_stream<stream_value<Lazy>>(self());
  }

  /// Leaves `d` at least between two values.
  template <class Rep, class Period>
  auto throttle(std::chrono::duration<Rep, Period> d) && {
    return detail::throttle_stream<Self>(self(), detail::to_duration(d));
  }
  /// Fails with `elapsed` when a value lets itself be waited for longer than `d`, counted from the first poll
  /// that finds none. It says so once for a value, and goes on to wait for it.
  template <class Rep, class Period>
  auto timeout(std::chrono::duration<Rep, Period> d) && {
    return detail::timeout_stream<Self>(self(), detail::to_duration(d));
  }
  /// Vectors of up to `n` values; one that is not full comes `d` after its first value, or at the end.
  /// Errors: `n` of 0 is misuse. A failure comes behind the values before it.
  /// Cost: a vector a chunk.
  template <class Rep, class Period>
  auto chunks_timeout(std::size_t n, std::chrono::duration<Rep, Period> d) && {
    if (n == 0) detail::misuse("chunks_timeout: chunks of nothing");
    return detail::chunks_timeout_stream<Self>(self(), n, detail::to_duration(d));
  }
  /// What the futures of a stream of futures (or leaves) come to, in their order; up to `n` run at once, inside
  /// the task that awaits: `std::move(urls).map(fetch).buffered(8)`.
  /// Cancel safety: dropping an await of `next()` leaves all that run in the stream, to go on later.
  /// Errors: `n` of 0 is misuse. What fails fails in its place; the others run on.
  /// Cost: a block a future that runs.
  auto buffered(std::size_t n) && {
    if (n == 0) detail::misuse("buffered: none at once would wait for ever");
    return detail::buffered_stream<Self>(self(), n);
  }

  /// Awaits the end: `accumulated = f(std::move(accumulated), v)` over all values, or `f(accumulated, v)` in
  /// place if that returns nothing. `co_await std::move(s).fold(0, std::plus<>())`.
  /// Cancel safety: what has been read is lost, with the stream.
  /// Errors: the first failure.
  template <class A, class F>
  auto fold(A init, F f) && {
    return detail::fold_operation<Self, A, F>(self(), std::move(init), std::move(f));
  }
  /// Awaits the end: all values in a container, a vector unless `C` says another. Sets, maps, lists, queues and
  /// strings will do as well.
  /// Cancel safety: what has been read is lost, with the stream.
  /// Errors: the first failure.
  /// Cost: the container.
  template <class C = void>
  auto collect() && {
    return detail::collect_operation<Self, C>(self());
  }
  /// Awaits the first value for which `f(v)` is false: are there none? The values up to it are gone, the rest
  /// can still be read.
  /// Cancel safety: values that were looked at are lost.
  /// Lifetime: borrows the stream.
  template <class F>
  auto all(F f) {
    return detail::search_leaf<Self, F, false>(static_cast<Self&>(*this), std::move(f));
  }
  /// The same for one for which it is true: is there any?
  /// Cancel safety, Lifetime: as `all`.
  template <class F>
  auto any(F f) {
    return detail::search_leaf<Self, F, true>(static_cast<Self&>(*this), std::move(f));
  }

 protected:
  stream_base() = default;
  stream_base(stream_base&&) = default;
  stream_base& operator=(stream_base&&) = default;
  stream_base(const stream_base&) = default;
  stream_base& operator=(const stream_base&) = default;
  ~stream_base() = default;

 private:
  Self&& self() noexcept { return static_cast<Self&&>(*this); }
};

namespace detail {

/// A stream made of another, which it holds.
template <class Self, class S>
class adapter : public stream_base<Self> {
 public:
  explicit adapter(S&& s) : inner_(std::move(s)) {}

  /// What is adapted; it has what has not been pulled yet.
  S& inner() & noexcept { return inner_; }
  const S& inner() const& noexcept { return inner_; }
  S&& inner() && noexcept { return std::move(inner_); }
  /// True once it is known that nothing more will come; a select's guard.
  bool is_terminated() const noexcept { return terminated(inner_); }

 protected:
  S inner_;
};

}  // namespace detail

}}  // namespace eddy::EDDY_ABI
