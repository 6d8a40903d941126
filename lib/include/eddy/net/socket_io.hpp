#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/runtime/detail/readiness.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

/// Which side of a connection `shutdown` ends.
enum class shutdown_side { read, write, both };

}}}  // namespace eddy::EDDY_ABI::net

// What one awaits on a socket: leaves of one system call each (write_all: of as many as it takes), tried
// when the socket is ready. They hold no data and no promise to the kernel while they wait, so dropping
// one costs nothing and loses nothing but what is said.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Waits until a socket is readable or writable.
class [[nodiscard]] ready_leaf {
 public:
  ready_leaf(const registration& io, direction kind) noexcept : waiter_(io.state()), kind_(kind) {}
  polled<result<void>> poll(context& cx) noexcept;

 private:
  io_waiter waiter_;
  direction kind_;
};

class [[nodiscard]] read_leaf {
 public:
  read_leaf(const registration& io, io::buffer to) noexcept : io_(&io.state()), to_(to) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  polled<result<std::size_t>> wait(context& cx) noexcept;
  polled<result<std::size_t>> try_again(context& cx, std::uint16_t tick) noexcept;

  readiness* io_;
  io::buffer to_;
  io_waiter waiter_;
};

class [[nodiscard]] peek_leaf {
 public:
  peek_leaf(const registration& io, io::buffer to) noexcept : io_(&io.state()), to_(to) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  io::buffer to_;
  io_waiter waiter_;
};

class [[nodiscard]] write_leaf {
 public:
  write_leaf(const registration& io, io::const_buffer from) noexcept
      : io_(&io.state()), from_(from) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  io::const_buffer from_;
  io_waiter waiter_;
};

class [[nodiscard]] write_all_leaf {
 public:
  write_all_leaf(const registration& io, io::const_buffer from) noexcept
      : io_(&io.state()), rest_(from) {}
  polled<result<void>> poll(context& cx) noexcept;

 private:
  polled<result<void>> write_rest(context& cx) noexcept;
  void advance(std::size_t n) noexcept {
    rest_ = io::const_buffer(static_cast<const char*>(rest_.data()) + n, rest_.size() - n);
  }

  readiness* io_;
  io::const_buffer rest_;
  io_waiter waiter_;
};

class [[nodiscard]] read_vectored_leaf {
 public:
  read_vectored_leaf(const registration& io, std::span<const io::buffer> to) noexcept
      : io_(&io.state()), to_(to) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  std::span<const io::buffer> to_;
  io_waiter waiter_;
};

class [[nodiscard]] write_vectored_leaf {
 public:
  write_vectored_leaf(const registration& io, std::span<const io::const_buffer> from) noexcept
      : io_(&io.state()), from_(from) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  std::span<const io::const_buffer> from_;
  io_waiter waiter_;
};

class [[nodiscard]] write_all_vectored_leaf {
 public:
  write_all_vectored_leaf(const registration& io, std::span<const io::const_buffer> from) noexcept
      : io_(&io.state()), rest_(from) {}
  polled<result<void>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  std::span<const io::const_buffer> rest_;
  std::size_t done_ = 0;  // of the first one
  io_waiter waiter_;
};

static_assert(sizeof(ready_leaf) <= 64 && sizeof(read_leaf) <= 64 && sizeof(write_leaf) <= 64 &&
              sizeof(write_all_leaf) <= 64 && sizeof(read_vectored_leaf) <= 64 &&
              sizeof(write_vectored_leaf) <= 64 && sizeof(write_all_vectored_leaf) <= 64);

result<void> shut_down(const registration& io, net::shutdown_side side) noexcept;
/// The error a socket keeps, which is cleared.
error take_error(const registration& io) noexcept;
/// Another number for what `io` refers to, which is closed: so its registration ends in its own time.
result<int> give_away(registration io) noexcept;
/// As give_away, and reading and writing the descriptor waits again.
result<int> give_away_blocking(registration io) noexcept;

/// At once or not at all: EAGAIN is an error.
result<std::size_t> try_read(const registration& io, io::buffer to) noexcept;
result<std::size_t> try_read_vectored(const registration& io,
                                      std::span<const io::buffer> to) noexcept;
result<std::size_t> try_write(const registration& io, io::const_buffer from) noexcept;
result<std::size_t> try_write_vectored(const registration& io,
                                       std::span<const io::const_buffer> from) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
