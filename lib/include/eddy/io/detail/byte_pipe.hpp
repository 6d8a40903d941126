#pragma once
// One direction of a stream in memory: a ring of bytes between who writes and who reads.
//
// I1  Everything is under the lock; nodes of leaves that wait are linked under it, and unlinked under it by whoever
//     wakes them or by their own end.
// I2  Whoever changes what the other side waits for (bytes, room, an end) takes all of its nodes out and wakes them
//     behind the lock.
//
// Threads: any.

#include <cstddef>
#include <memory>

#include <eddy/base/detail/list.hpp>
#include <eddy/base/detail/lock.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/io/buffer.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

enum class pipe_side : bool { read, write };

class byte_pipe {
 public:
  /// A leaf's place among those who wait; `side` says for what.
  struct waiter : list_node {
    waker who;
    bool used = false;  // it may be linked
  };

  explicit byte_pipe(std::size_t room);
  byte_pipe(const byte_pipe&) = delete;
  byte_pipe& operator=(const byte_pipe&) = delete;

  /// True when that side would get something: bytes or the end; room or the error.
  bool poll_ready(pipe_side side, waiter& w, context& cx) noexcept;
  void leave(waiter& w) noexcept;
  /// Bytes taken; 0: nothing there (or the end, see `ended`).
  std::size_t take(io::buffer to, bool& ended) noexcept;
  /// Bytes put; 0: no room.
  std::size_t put(io::const_buffer from, bool& broken) noexcept;
  /// Nobody will write any more, or nobody will read.
  void close(pipe_side side) noexcept;

 private:
  bool is_ready(pipe_side side) const noexcept {
    return side == pipe_side::read ? size_ != 0 || write_closed_
                                   : size_ != room_ || write_closed_ || read_closed_;
  }
  list<waiter>& waiting(pipe_side side) noexcept {
    return side == pipe_side::read ? readers_ : writers_;
  }
  void wake(pipe_side side, locked<sync_lock>& held) noexcept;

  sync_lock lock_;
  std::unique_ptr<char[]> bytes_;
  const std::size_t room_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  bool write_closed_ = false;
  bool read_closed_ = false;
  list<waiter> readers_;
  list<waiter> writers_;
};

/// What the leaves of a pipe share.
class pipe_leaf {
 public:
  pipe_leaf(byte_pipe& p, pipe_side side) noexcept : pipe_(&p), side_(side) {}
  pipe_leaf(pipe_leaf&&) noexcept = default;  // until its first poll
  pipe_leaf& operator=(pipe_leaf&&) = delete;
  ~pipe_leaf() {
    if (waiter_.used) pipe_->leave(waiter_);
  }

 protected:
  bool poll_ready(context& cx) noexcept {
    return pipe_->poll_ready(side_, waiter_, cx) && cx.proceed();
  }
  byte_pipe* pipe_;

 private:
  byte_pipe::waiter waiter_;
  pipe_side side_;
};

class [[nodiscard]] pipe_ready_leaf : pipe_leaf {
 public:
  using pipe_leaf::pipe_leaf;
  polled<result<void>> poll(context& cx) noexcept {
    if (!poll_ready(cx)) return pending;
    return result<void>();
  }
};

class [[nodiscard]] pipe_read_leaf : pipe_leaf {
 public:
  pipe_read_leaf(byte_pipe& p, io::buffer to) noexcept : pipe_leaf(p, pipe_side::read), to_(to) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  io::buffer to_;
};

class [[nodiscard]] pipe_write_leaf : pipe_leaf {
 public:
  pipe_write_leaf(byte_pipe& p, io::const_buffer from) noexcept
      : pipe_leaf(p, pipe_side::write), from_(from) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  io::const_buffer from_;
};

class [[nodiscard]] pipe_write_all_leaf : pipe_leaf {
 public:
  pipe_write_all_leaf(byte_pipe& p, io::const_buffer from) noexcept
      : pipe_leaf(p, pipe_side::write), rest_(from) {}
  polled<result<void>> poll(context& cx) noexcept;

 private:
  io::const_buffer rest_;
};

/// At once or not at all: EAGAIN is an error.
result<std::size_t> try_read(byte_pipe& p, io::buffer to) noexcept;
result<std::size_t> try_write(byte_pipe& p, io::const_buffer from) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
