#pragma once

#include <cstddef>
#include <span>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/runtime/detail/readiness.hpp>

// What one awaits on a pipe, or on any other descriptor that is read and written and is no socket: one system call
// each, tried when it is ready.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class [[nodiscard]] fd_read_leaf {
 public:
  fd_read_leaf(const registration& io, io::buffer to) noexcept : io_(&io.state()), to_(to) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  io::buffer to_;
  io_waiter waiter_;
};

class [[nodiscard]] fd_read_vectored_leaf {
 public:
  fd_read_vectored_leaf(const registration& io, std::span<const io::buffer> to) noexcept
      : io_(&io.state()), to_(to) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  std::span<const io::buffer> to_;
  io_waiter waiter_;
};

class [[nodiscard]] fd_write_leaf {
 public:
  fd_write_leaf(const registration& io, io::const_buffer from) noexcept
      : io_(&io.state()), from_(from) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  io::const_buffer from_;
  io_waiter waiter_;
};

class [[nodiscard]] fd_write_all_leaf {
 public:
  fd_write_all_leaf(const registration& io, io::const_buffer from) noexcept
      : io_(&io.state()), rest_(from) {}
  polled<result<void>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  io::const_buffer rest_;
  io_waiter waiter_;
};

class [[nodiscard]] fd_write_vectored_leaf {
 public:
  fd_write_vectored_leaf(const registration& io, std::span<const io::const_buffer> from) noexcept
      : io_(&io.state()), from_(from) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  std::span<const io::const_buffer> from_;
  io_waiter waiter_;
};

/// At once or not at all: EAGAIN is an error.
result<std::size_t> try_fd_read(const registration& io, std::span<const io::buffer> to) noexcept;
result<std::size_t> try_fd_write(const registration& io,
                                 std::span<const io::const_buffer> from) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
