#pragma once
// Signals, for the whole process: one handler, one pipe, and who listens.
//
// The handler counts the arrival in its slot and writes a byte into the pipe. Each listener watches a duplicate
// of the pipe's reading end with its own loop's reactor. Whoever is polled and finds a byte empties the pipe and
// wakes every listener whose count has changed, in whatever loop.
//
// I1  The handler takes no lock, allocates nothing and keeps errno. It reads only what is atomic here.
// I2  Count before byte: whoever has read the byte sees the count. A listener stores its waker before it looks
//     at the count for the last time. So either the pipe has a byte, and every waiting loop sees that, or
//     somebody has taken it and wakes.
// I3  The pipe stays open to the process's end: a handler may be on its way to write on another thread.
// I4  A slot's handler is installed while `users` is not 0 (listeners, guards, and `shutdown` for good), and
//     what was there before is put back by the last one, if eddy's is still there or the default is.
// I5  A handler that was there before is called after ours, but for requests to end. One that was put over ours is never called by ours:
//     it may call ours.
// I6  A child made by fork begins anew: dispositions as before eddy's, no listeners, a pipe of its own.
//
// Threads: everything from any thread, under the registry's lock; the handler on whatever thread.

#include <signal.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include <eddy/base/detail/list.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/runtime/detail/readiness.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

inline constexpr int signal_numbers = 65;  // and 0

/// One listener. `who_` and the link are the registry's, the rest its task's.
class signal_listening : public list_node {
 public:
  signal_listening(int number, registration io) noexcept : number_(number), io_(std::move(io)) {}
  polled<result<void>> poll(context& cx) noexcept;
  void stop_waiting() noexcept;

 private:
  friend class signal_registry;
  bool has_news() const noexcept;

  const int number_;
  bool waits_ = false;                  // a waker is stored
  std::atomic<std::uint32_t> seen_{0};  // partner: wake_changed; what I2 needs comes by the lock
  waker who_;                           // I2
  registration io_;
  io_waiter waiter_;
};

class signal_registry {
 public:
  static signal_registry& get() noexcept;

  /// Makes the pipe, if there is none yet: 0 or an errno.
  int open() noexcept;
  result<signal_listening*> listen(int number) noexcept;
  void end(signal_listening& l) noexcept;
  void store_waker(signal_listening& l, context& cx) noexcept;
  void forget_waker(signal_listening& l) noexcept;
  /// Takes the bytes out of the pipe; false when there were none.
  bool empty_pipe() noexcept;
  void wake_changed() noexcept;

  /// While it is guarded, a signal that would end the program calls `before_death` first. A signal that somebody
  /// handles already is left alone: false.
  bool guard(int number) noexcept;
  void end_guard(int number) noexcept;
  /// What a guarded signal, and a second request to end, calls: async-signal-safe. Null: nothing.
  static void set_before_death(void (*f)() noexcept) noexcept;

  // For signal::shutdown. While somebody waits, the first of SIGINT and SIGTERM is a request to end.
  void begin_wait_for_shutdown() noexcept;
  void end_wait_for_shutdown() noexcept;
  static int shutdown_request() noexcept;  // the signal; 0: none

 private:
  struct slot {
    unsigned users = 0;
    bool buried = false;  // eddy's is below another handler, which may call it
    struct sigaction before = {};
    list<signal_listening> listeners;
  };

  signal_registry() noexcept;
  int open_pipe() noexcept;
  int add_user(int number) noexcept;
  void remove_user(int number) noexcept;
  void begin_anew() noexcept;  // I6

  std::mutex mutex_;
  std::array<slot, signal_numbers> slots_;
  int reading_end_ = -1;
  unsigned shutdown_waits_ = 0;
  bool shutdown_kept_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
