#pragma once
// Edge-triggered watching for the TCP streams of a pool, where the task that reads runs on another thread than the
// loop as often as not. There uv_poll repeats an event until the other thread has read, is disarmed, and takes a
// message to be armed again. Here a descriptor is entered once, for everything, and never changed. One file for each
// way: an epoll of eddy's own inside libuv's, or nothing.
//
// I1  Only the loop's thread adds, removes and looks. An entry is removed before its descriptor is closed: somebody
//     may have duplicated it, and then it would be reported for ever.
// I2  Who is removed while events are being handed out gets none of them any more.
// I3  An event says all that is so at that time, and another comes for all that happens later. So who waits after
//     EAGAIN misses nothing.
// I4  A short read is as good as EAGAIN, if the source has told of nothing but bytes (and so is a short write): it
//     has taken all there was, and what arrives later is an event of its own, with another tick. What a short read
//     leaves behind, and what no later event tells of, was told beside the bytes: the end, an error, urgent data.
//     These set readiness::exact_bit, with the tick, and after that only EAGAIN clears.
// I5  I4 is false for what has boundaries (datagrams, descriptors sent over Unix sockets, terminals). So only TCP
//     streams are watched like this.

#include <uv.h>

#include <cstdint>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class watched_descriptor;

/// The edge-triggered watching of one loop. Threads: the loop's.
class edge_watch {
 public:
  edge_watch() noexcept = default;
  edge_watch(const edge_watch&) = delete;
  ~edge_watch();

  /// False: the system has none, or none could be made; then uv_poll will do. Made by the first call.
  bool open(uv_loop_t* loop) noexcept;
  /// Makes `fd` non-blocking and watches it for `s`. 0 or a libuv error.
  int add(int fd, watched_descriptor& s) noexcept;
  void remove(int fd, watched_descriptor& s) noexcept;
  /// After the last `remove`: libuv closes its handle at its next turn.
  void close() noexcept;

  /// For tests: whether loops that are made from now on may have it. Any thread, while no runtime is there.
  static void allow(bool allowed) noexcept;

 private:
  struct batch;
  static void on_ready(uv_poll_t* h, int status, int events);
  bool hand_out() noexcept;

  uv_poll_t handle_;  // watches `fd_`
  int fd_ = -1;
  bool refused_ = false;
  batch* now_ = nullptr;  // being handed out
};

}}}  // namespace eddy::EDDY_ABI::detail
