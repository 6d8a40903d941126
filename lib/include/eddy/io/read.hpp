#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/io/concepts.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace io {

/// What a container of bytes must have to be filled to the end of a stream: std::string and the vectors of bytes.
template <class C>
concept byte_container = eddy::detail::byte_range<C&> && requires(C& c, std::size_t n) {
  c.resize(n);
  { c.size() } -> std::convertible_to<std::size_t>;
};

}}}  // namespace eddy::EDDY_ABI::io

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class R>
future<result<void>> run_read_exact(R* from, io::buffer to) {
  auto* at = static_cast<char*>(to.data());
  for (std::size_t left = to.size(); left != 0;) {
    auto n = co_await attempt(from->read(io::buffer(at, left)));
    if (!n) co_return std::move(n).error();
    if (*n == 0) co_return error(errc::unexpected_end, "read_exact");
    at += *n;
    left -= *n;
  }
  co_return result<void>();
}

template <class R, class C>
future<result<std::size_t>> run_read_to_end(R* from, C* to) {
  const std::size_t before = to->size();
  std::size_t filled = before;
  // Cut to what was read however this ends, also when it is destroyed.
  struct cut {
    C* to;
    const std::size_t* filled;
    ~cut() { to->resize(*filled); }
  } const guard{to, &filled};
  for (;;) {
    if (to->size() - filled < 32) to->resize(std::max<std::size_t>(filled + 1024, filled * 2));
    auto n = co_await attempt(from->read(io::buffer(to->data() + filled, to->size() - filled)));
    if (!n) co_return std::move(n).error();
    if (*n == 0) co_return filled - before;
    filled += *n;
  }
}

template <class W>
future<result<void>> run_write_all(W* to, io::const_buffer from) {
  const auto* at = static_cast<const char*>(from.data());
  for (std::size_t left = from.size(); left != 0;) {
    auto n = co_await attempt(to->write(io::const_buffer(at, left)));
    if (!n) co_return std::move(n).error();
    if (*n == 0) co_return error(errc::closed, "write_all", "a writer took no bytes");
    at += *n;
    left -= *n;
  }
  co_return result<void>();
}

template <std::integral T>
T from_bytes(const std::array<unsigned char, sizeof(T)>& bytes, bool big) noexcept {
  std::make_unsigned_t<T> value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    const auto b = bytes[big ? i : sizeof(T) - 1 - i];
    value = static_cast<std::make_unsigned_t<T>>((std::uint64_t{value} << 8) | b);
  }
  return static_cast<T>(value);
}
template <std::integral T>
std::array<unsigned char, sizeof(T)> to_bytes(T value, bool big) noexcept {
  std::array<unsigned char, sizeof(T)> bytes{};
  auto rest = static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<T>>(value));
  for (std::size_t i = 0; i < sizeof(T); ++i, rest >>= 8)
    bytes[big ? sizeof(T) - 1 - i : i] = static_cast<unsigned char>(rest);
  return bytes;
}

template <class T, class R>
future<result<T>> run_read_integer(R* from, bool big) {
  std::array<unsigned char, sizeof(T)> bytes;
  auto done = co_await run_read_exact(from, bytes);
  if (!done) co_return std::move(done).error();
  co_return from_bytes<T>(bytes, big);
}
template <class T, class W>
future<result<void>> run_write_integer(W* to, T value, bool big) {
  const auto bytes = to_bytes(value, big);
  auto done = co_await run_write_all(to, bytes);
  co_return done;
}

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace io {

/// Fills all of `to`.
///
/// Cancel safety: what has been read is in `to`, and how much is lost.
/// Lifetime: borrows reader and buffer.
/// Errors: `errc::unexpected_end` when the stream ends before.
/// Cost: a frame.
template <reader R>
operation<void> read_exact(R& from, buffer to) {
  return operation<void>(eddy::detail::run_read_exact(&from, to));
}

/// Appends everything up to the end of the stream to `to`; how much.
///
/// Cancel safety: what has been read stays in `to`.
/// Lifetime: borrows both.
/// Cost: a frame; `to` grows as a vector does.
template <reader R, byte_container C>
operation<std::size_t> read_to_end(R& from, C& to) {
  return operation<std::size_t>(eddy::detail::run_read_to_end(&from, &to));
}

/// Everything up to the end of the stream. Cancel safety: what has been read is lost.
template <reader R>
operation<std::string> read_to_string(R& from) {
  return operation<std::string>([](R* r) -> future<result<std::string>> {
    std::string all;
    auto done = co_await eddy::detail::run_read_to_end(r, &all);
    if (!done) co_return std::move(done).error();
    co_return all;
  }(&from));
}

/// Writes all of `from`. Cancel safety: some of it may have been written, and how much is lost.
/// Errors: a writer that takes no bytes is `errc::closed`.
template <writer W>
operation<void> write_all(W& to, const_buffer from) {
  return operation<void>(eddy::detail::run_write_all(&to, from));
}

/// Reads an integer, most significant byte first. Cancel safety, Errors: as `read_exact`.
template <std::integral T, reader R>
operation<T> read_be(R& from) {
  return operation<T>(eddy::detail::run_read_integer<T>(&from, true));
}
/// Reads an integer, least significant byte first. Cancel safety, Errors: as `read_exact`.
template <std::integral T, reader R>
operation<T> read_le(R& from) {
  return operation<T>(eddy::detail::run_read_integer<T>(&from, false));
}
/// Writes an integer, most significant byte first: `write_be<std::uint32_t>(w, 7)`.
/// Cancel safety, Errors: as `write_all`.
template <std::integral T, writer W>
operation<void> write_be(W& to, std::type_identity_t<T> value) {
  return operation<void>(eddy::detail::run_write_integer<T>(&to, value, true));
}
/// Writes an integer, least significant byte first. Cancel safety, Errors: as `write_all`.
template <std::integral T, writer W>
operation<void> write_le(W& to, std::type_identity_t<T> value) {
  return operation<void>(eddy::detail::run_write_integer<T>(&to, value, false));
}

}}}  // namespace eddy::EDDY_ABI::io
