#pragma once
// A standard stream as one object of the user's sees it: a description of its own that a loop watches, or the pump.
//
// I1  The descriptor that was inherited is never made non-blocking and never closed. What is watched is the same pipe
//     or terminal, opened anew.
// I2  What is watched belongs to one loop; polled on another, the stream is opened anew there.

#include <cstddef>
#include <cstdint>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/standard.hpp>
#include <eddy/runtime/detail/readiness.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Why a standard stream has failed.
error failed(int fd, int code) noexcept;

class standard_stream {
 public:
  explicit standard_stream(int fd) noexcept : fd_(fd) {}

  polled<result<std::size_t>> poll_read(standard_leaf& leaf, context& cx, io::buffer to) noexcept;
  polled<result<std::size_t>> poll_write(standard_leaf& leaf, context& cx,
                                         io::const_buffer from) noexcept;
  int fd() const noexcept { return fd_; }

 private:
  bool is_watched() noexcept;
  template <class Call, class Pump>
  polled<result<std::size_t>> transfer(direction kind, standard_leaf& leaf, context& cx, Call call,
                                       Pump call_pump) noexcept;

  const int fd_;
  bool by_pump_ = false;
  registration io_;
};

}}}  // namespace eddy::EDDY_ABI::detail
