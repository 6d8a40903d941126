#pragma once

#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/net/tcp_stream.hpp>

namespace eddy::inline EDDY_ABI::net {

namespace split_detail {
struct shared_stream;  // a tcp_stream and how many halves it has
void release(shared_stream* s) noexcept;
tcp_stream& stream_of(shared_stream* s) noexcept;
void end_writing(shared_stream* s) noexcept;
}  // namespace split_detail

/// The reading half of a `tcp_stream`: its operations are the stream's.
///
/// Threads: as the stream; the halves may be dropped on different threads. The connection closes with the
/// second one.
class tcp_read_half {
 public:
  tcp_read_half(tcp_read_half&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
  tcp_read_half& operator=(tcp_read_half&& other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~tcp_read_half() {
    if (shared_ != nullptr) split_detail::release(shared_);
  }

  auto read(buffer to) noexcept { return stream().read(to); }
  auto read_vectored(std::span<const buffer> to) noexcept { return stream().read_vectored(to); }
  auto peek(buffer to) noexcept { return stream().peek(to); }
  auto readable() const noexcept { return stream().readable(); }
  result<std::size_t> try_read(buffer to) noexcept { return stream().try_read(to); }
  result<std::size_t> try_read_vectored(std::span<const buffer> to) noexcept {
    return stream().try_read_vectored(to);
  }
  socket_address local_addr() const noexcept { return stream().local_addr(); }
  socket_address peer_addr() const noexcept { return stream().peer_addr(); }
  /// Both halves: for options, and for what the halves leave out. Borrowed.
  tcp_stream& stream() const noexcept { return split_detail::stream_of(shared_); }

 private:
  friend class tcp_stream;
  friend result<tcp_stream> reunite(tcp_read_half&& r, class tcp_write_half&& w) noexcept;
  explicit tcp_read_half(split_detail::shared_stream* s) noexcept : shared_(s) {}
  split_detail::shared_stream* shared_;
};

/// The writing half of a `tcp_stream`: its operations are the stream's. Dropping it ends the write side:
/// the peer then reads the end of the stream.
class tcp_write_half {
 public:
  tcp_write_half(tcp_write_half&& other) noexcept
      : shared_(std::exchange(other.shared_, nullptr)) {}
  tcp_write_half& operator=(tcp_write_half&& other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~tcp_write_half() {
    if (shared_ == nullptr) return;
    split_detail::end_writing(shared_);
    split_detail::release(shared_);
  }

  auto write(const_buffer from) noexcept { return stream().write(from); }
  auto write_all(const_buffer from) noexcept { return stream().write_all(from); }
  auto write_vectored(std::span<const const_buffer> from) noexcept {
    return stream().write_vectored(from);
  }
  auto write_all_vectored(std::span<const const_buffer> from) noexcept {
    return stream().write_all_vectored(from);
  }
  auto writable() const noexcept { return stream().writable(); }
  result<std::size_t> try_write(const_buffer from) noexcept { return stream().try_write(from); }
  result<std::size_t> try_write_vectored(std::span<const const_buffer> from) noexcept {
    return stream().try_write_vectored(from);
  }
  /// Ends the write side and keeps the half.
  result<void> shutdown() noexcept { return stream().shutdown_write(); }
  socket_address local_addr() const noexcept { return stream().local_addr(); }
  socket_address peer_addr() const noexcept { return stream().peer_addr(); }
  /// Both halves: for options, and for what the halves leave out. Borrowed.
  tcp_stream& stream() const noexcept { return split_detail::stream_of(shared_); }

 private:
  friend class tcp_stream;
  friend result<tcp_stream> reunite(tcp_read_half&& r, tcp_write_half&& w) noexcept;
  explicit tcp_write_half(split_detail::shared_stream* s) noexcept : shared_(s) {}
  split_detail::shared_stream* shared_;
};

/// `auto [reader, writer] = std::move(stream).into_split();`
struct tcp_halves {
  tcp_read_half reader;
  tcp_write_half writer;
};

/// Makes the stream whole again. Errors: halves of different streams are misuse, and stay as they are.
result<tcp_stream> reunite(tcp_read_half&& r, tcp_write_half&& w) noexcept;

}  // namespace eddy::inline EDDY_ABI::net
