#pragma once

#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/stream/detail/range_stream.hpp>
#include <eddy/stream/detail/source_stream.hpp>
#include <eddy/stream/stream.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// A stream of whatever gives values one after the other, which it takes over:
///
/// | from | its values |
/// |---|---|
/// | a receiver of `mpsc` or `broadcast` (anything with `recv()`) | what it receives, until the channel is closed |
/// | a receiver of `watch` | the value of now, and then each later one that it sees |
/// | an `interval` | its ticks |
/// | a listener (anything with `accept()`) | connections, for ever |
/// | a `join_set<T>` | `result<T>` of each task as it ends, until the set is empty |
/// | a range | its elements: moved out of a container given by value, copied through a view |
/// | a future or another leaf, so also a receiver of `oneshot` | its one value |
/// | a stream that does not derive from `stream_base` | the same, with `next()` and the adapters |
///
/// Lifetime: a range that is a view (`std::span(v)`) borrows.
/// Errors: those of what it is made of, and `errc::lagged` where a broadcast receiver has missed values; the stream goes on behind a failure, except that of a single future.
/// Cost: none; a range that is not random access and a future have a block of their own.
template <class X>
auto stream_of(X x) {
  if constexpr (stream<X>)
    return detail::wrapped_stream<X>(std::move(x));
  else if constexpr (detail::receives<X>)
    return detail::source_stream<X, detail::take_recv>(std::move(x));
  else if constexpr (detail::watches<X>)
    return detail::watch_stream<X>(std::move(x), true);
  else if constexpr (detail::ticks<X>)
    return detail::source_stream<X, detail::take_tick>(std::move(x));
  else if constexpr (detail::accepts<X>)
    return detail::source_stream<X, detail::take_accept>(std::move(x));
  else if constexpr (std::ranges::input_range<X>)
    return detail::range_stream<X>(std::move(x));
  else if constexpr (detail::awaitable<X>)
    return detail::single_stream<X>(std::move(x));
  else
    static_assert(detail::always_false<X>, "eddy: no stream is made of this");
}

/// Of a `watch` receiver only the values that come from now on.
template <class X>
  requires detail::watches<X>
auto changes_of(X receiver) {
  return detail::watch_stream<X>(std::move(receiver), false);
}

/// A stream of one value.
template <class T>
auto once_stream(T value) {
  return detail::once_stream<T>(std::move(value));
}
/// A stream that is at its end from the beginning.
template <class T>
auto empty_stream() noexcept {
  return detail::once_stream<T>();
}
/// A stream that has no value and no end.
template <class T>
auto pending_stream() noexcept {
  return detail::pending_stream<T>();
}

}}  // namespace eddy::EDDY_ABI
