#pragma once

#include <atomic>
#include <cstdint>
#include <new>
#include <utility>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/base/detail/misuse.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/net/stream_socket.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

namespace split_detail {

/// A stream and how many halves it has.
template <class Stream>
struct shared_stream {
  std::atomic<std::uint32_t> halves{2};  // partner: itself, in release()
  Stream stream;

  static shared_stream* make(Stream&& s) {
    void* const block = eddy::detail::frame_allocate(sizeof(shared_stream));
    if (block == nullptr) eddy::detail::fatal("out of memory");
    return ::new (block) shared_stream{.stream = std::move(s)};
  }
  void free() noexcept {
    this->~shared_stream();
    eddy::detail::frame_release(this, sizeof(shared_stream));
  }
  void release() noexcept {
    if (halves.fetch_sub(1, std::memory_order_acq_rel) == 1) free();
  }
};

/// Splits, and puts together again.
template <class Stream>
struct splitting;

}  // namespace split_detail

/// The reading half of a connection: its operations are the stream's.
///
/// Threads: as the stream; the halves may be dropped on different threads. The connection closes with the
/// second one.
template <class Stream>
class stream_read_half {
 public:
  stream_read_half(stream_read_half&& other) noexcept
      : shared_(std::exchange(other.shared_, nullptr)) {}
  stream_read_half& operator=(stream_read_half&& other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~stream_read_half() {
    if (shared_ != nullptr) shared_->release();
  }

  /// As of the stream.
  auto read(buffer to) noexcept { return stream().read(to); }
  /// As of the stream.
  auto read_vectored(std::span<const buffer> to) noexcept { return stream().read_vectored(to); }
  /// As of the stream.
  auto peek(buffer to) noexcept { return stream().peek(to); }
  /// As of the stream.
  auto readable() const noexcept { return stream().readable(); }
  /// As of the stream.
  result<std::size_t> try_read(buffer to) noexcept { return stream().try_read(to); }
  result<std::size_t> try_read_vectored(std::span<const buffer> to) noexcept {
    return stream().try_read_vectored(to);
  }
  /// As of the stream.
  auto local_addr() const noexcept { return stream().local_addr(); }
  /// As of the stream.
  auto peer_addr() const noexcept { return stream().peer_addr(); }
  /// Both halves: for options, and for what the halves leave out. Borrowed.
  Stream& stream() const noexcept { return shared_->stream; }

 private:
  friend split_detail::splitting<Stream>;
  using shared_stream = split_detail::shared_stream<Stream>;
  explicit stream_read_half(shared_stream* s) noexcept : shared_(s) {}
  shared_stream* shared_;
};

/// The writing half of a connection: its operations are the stream's. Dropping it ends the write side: the
/// peer then reads the end of the stream.
template <class Stream>
class stream_write_half {
 public:
  stream_write_half(stream_write_half&& other) noexcept
      : shared_(std::exchange(other.shared_, nullptr)) {}
  stream_write_half& operator=(stream_write_half&& other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~stream_write_half() {
    if (shared_ == nullptr) return;
    static_cast<void>(stream().shutdown_write());  // fails on a connection that is gone
    shared_->release();
  }

  /// As of the stream.
  auto write(const_buffer from) noexcept { return stream().write(from); }
  /// As of the stream.
  auto write_all(const_buffer from) noexcept { return stream().write_all(from); }
  /// As of the stream.
  auto write_vectored(std::span<const const_buffer> from) noexcept {
    return stream().write_vectored(from);
  }
  /// As of the stream.
  auto write_all_vectored(std::span<const const_buffer> from) noexcept {
    return stream().write_all_vectored(from);
  }
  /// As of the stream.
  auto writable() const noexcept { return stream().writable(); }
  /// As of the stream.
  result<std::size_t> try_write(const_buffer from) noexcept { return stream().try_write(from); }
  result<std::size_t> try_write_vectored(std::span<const const_buffer> from) noexcept {
    return stream().try_write_vectored(from);
  }
  /// Ends the write side and keeps the half.
  result<void> shutdown() noexcept { return stream().shutdown_write(); }
  /// As of the stream.
  auto local_addr() const noexcept { return stream().local_addr(); }
  /// As of the stream.
  auto peer_addr() const noexcept { return stream().peer_addr(); }
  /// Both halves: for options, and for what the halves leave out. Borrowed.
  Stream& stream() const noexcept { return shared_->stream; }

 private:
  friend split_detail::splitting<Stream>;
  using shared_stream = split_detail::shared_stream<Stream>;
  explicit stream_write_half(shared_stream* s) noexcept : shared_(s) {}
  shared_stream* shared_;
};

/// `auto [reader, writer] = std::move(stream).into_split();`
template <class Stream>
struct stream_halves {
  stream_read_half<Stream> reader;   ///< reads
  stream_write_half<Stream> writer;  ///< writes
};

namespace split_detail {

template <class Stream>
struct splitting {
  static stream_halves<Stream> split(Stream&& s) {
    auto* const shared = shared_stream<Stream>::make(std::move(s));
    return stream_halves<Stream>{stream_read_half<Stream>(shared),
                                 stream_write_half<Stream>(shared)};
  }
  static result<Stream> reunite(stream_read_half<Stream>& r,
                                stream_write_half<Stream>& w) noexcept {
    if (r.shared_ == nullptr || r.shared_ != w.shared_)
      return error(errc::misuse, "reunite: these are halves of different streams");
    auto* const shared = std::exchange(r.shared_, nullptr);
    w.shared_ = nullptr;
    Stream whole = std::move(shared->stream);
    shared->free();
    return whole;
  }
};

}  // namespace split_detail

/// Makes the stream whole again. Errors: halves of different streams are misuse, and stay as they are.
template <class Stream>
result<Stream> reunite(stream_read_half<Stream>&& r, stream_write_half<Stream>&& w) noexcept {
  return split_detail::splitting<Stream>::reunite(r, w);
}

}}}  // namespace eddy::EDDY_ABI::net
