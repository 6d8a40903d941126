#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>

#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/io/buffer.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// Awaiting an X gives a T.
template <class X, class T>
concept awaits =
    awaitable<X> && std::convertible_to<typename branch<std::remove_cvref_t<X>>::value_type, T>;

}  // namespace detail

namespace io {

/// Something to read bytes from: `read(buffer)` gives how many it has read, 0 at the end.
/// Sockets, files, pipes and the wrappers of this folder are readers.
template <class R>
concept reader = requires(std::remove_reference_t<R>& r, buffer to) {
  { r.read(to) } -> eddy::detail::awaits<std::size_t>;
};

/// Something to write bytes to: `write(const_buffer)` gives how many it has taken, at least one.
/// If it holds bytes back it also has a `flush()`.
template <class W>
concept writer = requires(std::remove_reference_t<W>& w, const_buffer from) {
  { w.write(from) } -> eddy::detail::awaits<std::size_t>;
};

/// A reader with a buffer one can look into: `fill()` gives what is in it, after reading some if it is empty;
/// nothing at the end. `consume(n)` takes the first `n` bytes out.
template <class B>
concept buffered_reader = reader<B> && requires(std::remove_reference_t<B>& b, std::size_t n) {
  { b.fill() } -> eddy::detail::awaits<const_buffer>;
  b.consume(n);
};

}  // namespace io

namespace detail {

template <class R>
using read_of = decltype(std::declval<R&>().read(std::declval<io::buffer>()));
template <class W>
using write_of = decltype(std::declval<W&>().write(std::declval<io::const_buffer>()));

}  // namespace detail

}}  // namespace eddy::EDDY_ABI
