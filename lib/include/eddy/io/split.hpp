#pragma once

#include <memory>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/io/concepts.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace io {

/// The reading half of any stream. The sockets have halves of their own, whose writer ends the write side when
/// it is dropped.
template <class S>
class read_half {
 public:
  explicit read_half(std::shared_ptr<S> stream) noexcept : stream_(std::move(stream)) {}
  auto read(buffer to) noexcept { return stream_->read(to); }
  /// Both halves. Borrowed.
  S& stream() const noexcept { return *stream_; }

 private:
  std::shared_ptr<S> stream_;
};

/// The writing half of any stream.
template <class S>
class write_half {
 public:
  explicit write_half(std::shared_ptr<S> stream) noexcept : stream_(std::move(stream)) {}
  auto write(const_buffer from) noexcept { return stream_->write(from); }
  auto flush() noexcept
    requires requires(S& s) { s.flush(); }
  {
    return stream_->flush();
  }
  auto shutdown_write() noexcept
    requires requires(S& s) { s.shutdown_write(); }
  {
    return stream_->shutdown_write();
  }
  /// Both halves. Borrowed.
  S& stream() const noexcept { return *stream_; }

 private:
  std::shared_ptr<S> stream_;
};

/// `auto [reader, writer] = eddy::io::split(std::move(stream));`
template <class S>
struct split_halves {
  read_half<S> reader;   ///< reads
  write_half<S> writer;  ///< writes
};

/// Splits a stream into halves for two tasks of one loop. The stream goes with the second half.
/// Cost: one block.
template <class S>
  requires reader<S> && writer<S>
split_halves<S> split(S stream) {
  auto shared = std::make_shared<S>(std::move(stream));
  return split_halves<S>{read_half<S>(shared), write_half<S>(shared)};
}

/// Makes the stream whole again. Errors: halves of different streams are misuse.
template <class S>
S unsplit(read_half<S> r, write_half<S> w) {
  if (&r.stream() != &w.stream())
    eddy::detail::misuse("unsplit: these are halves of different streams");
  return std::move(r.stream());
}

}}}  // namespace eddy::EDDY_ABI::io
