#pragma once

#include <cstddef>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/runtime/readiness.hpp>

// Reading and writing a descriptor that is no socket: a pipe or a terminal. One system call each, tried when the
// descriptor is ready, so what is dropped while it waits has moved nothing.

namespace eddy::inline EDDY_ABI::detail {

class [[nodiscard]] descriptor_read_leaf {
 public:
  descriptor_read_leaf(const io_handle& io, io::buffer to) noexcept : io_(&io.state()), to_(to) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  io_state* io_;
  io::buffer to_;
  io_waiter waiter_;
};

class [[nodiscard]] descriptor_write_leaf {
 public:
  descriptor_write_leaf(const io_handle& io, io::const_buffer from) noexcept
      : io_(&io.state()), from_(from) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  io_state* io_;
  io::const_buffer from_;
  io_waiter waiter_;
};

class [[nodiscard]] descriptor_write_all_leaf {
 public:
  descriptor_write_all_leaf(const io_handle& io, io::const_buffer from) noexcept
      : io_(&io.state()), rest_(from) {}
  polled<result<void>> poll(context& cx) noexcept;

 private:
  io_state* io_;
  io::const_buffer rest_;
  io_waiter waiter_;
};

/// At once or not at all: EAGAIN is an error.
result<std::size_t> try_read_descriptor(const io_handle& io, io::buffer to) noexcept;
result<std::size_t> try_write_descriptor(const io_handle& io, io::const_buffer from) noexcept;

}  // namespace eddy::inline EDDY_ABI::detail
