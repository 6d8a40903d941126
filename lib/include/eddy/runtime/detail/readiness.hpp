#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include <eddy/base/detail/list.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/chain.hpp>
#include <eddy/core/waker.hpp>

// The narrow interface between sockets and whatever watches descriptors; src/runtime/reactor.hpp is
// behind it. Nothing above knows how the watching is done.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class watched_descriptor;  // one descriptor watched by a loop: src/runtime/reactor.hpp

/// What one waits for; a bit in `readiness::ready`.
enum class direction : std::uint8_t { read = 1, write = 2 };

/// What a wait for readiness says.
enum class wait_result : std::uint8_t {
  waiting,    // the waiter is in the list; the task will be woken
  ready,      // try the system call
  ended,      // the runtime has ended: try the system call, and do not wait
  elsewhere,  // polled on another runtime than the one the descriptor is registered with
};

struct readiness;

/// A task that waits for a descriptor; a node in the leaf that waits.
struct io_waiter : list_node {
  waker who;

  io_waiter() noexcept = default;
  explicit io_waiter(readiness& s) noexcept : at_(reinterpret_cast<std::uintptr_t>(&s)) {}
  io_waiter(io_waiter&& other) noexcept  // until its first poll
      : list_node(), at_(other.at_.load(std::memory_order_relaxed)) {}
  ~io_waiter() {
    if (is_waiting()) leave();
  }
  /// What it waits for, or is to wait for.
  readiness& io() const noexcept {
    return *reinterpret_cast<readiness*>(at_.load(std::memory_order_relaxed) & ~listed);
  }
  /// False: it is in no list, or has been taken out and woken.
  bool is_waiting() const noexcept { return (at_.load(std::memory_order_acquire) & listed) != 0; }
  /// Waits no more.
  void leave() noexcept;
  /// Goes on waiting, for the target of `cx`; false: it has been woken.
  bool stay(context& cx) noexcept;

  // For the reactor, under that guard.
  void enter(readiness& s) noexcept {
    at_.store(reinterpret_cast<std::uintptr_t>(&s) | listed, std::memory_order_relaxed);
  }
  /// The last that is done to it by whoever takes it out.
  void left() noexcept {
    at_.store(at_.load(std::memory_order_relaxed) & ~listed, std::memory_order_release);
  }

 private:
  static constexpr std::uintptr_t listed = 1;
  /// An readiness, and whether this is in a list of its. In a pool another thread may take it out: partners left
  /// and is_waiting. The list's links are under that loop's guard.
  std::atomic<std::uintptr_t> at_{0};
};

/// What is known of a descriptor that is adopted: a TCP stream's may be watched edge-triggered.
enum class descriptor_kind : std::uint8_t { any, tcp_stream };

/// A descriptor watched by a loop, as a leaf sees it; the rest is watched_descriptor's. Each direction is used by one
/// task at a time: on the loop's own thread, in a pool on any worker's.
struct readiness {
  scheduler* home;  // the loop it is registered with, kept by a reference
  int fd;
  // What is ready (bits of direction), whether it is a pool's (bit 7), whether only EAGAIN says that it is not ready
  // (bit 6, which stays once it is set: src/runtime/edge_watch.hpp, I4), and in the upper half a count of events.
  // Written by the loop and by who clears, which in a pool may be two threads. Partners: event, clear.
  std::atomic<std::uint32_t> word{static_cast<std::uint32_t>(direction::write)};
  static constexpr std::uint32_t shared_bit = 0x80;
  static constexpr std::uint32_t exact_bit = 0x40;
  // A note of who receives datagrams here (net/datagram_guess.hpp), partner itself.
  std::atomic<std::uint8_t> guess{0};

  /// `ready`: try the system call, and on EAGAIN call `clear`, after a short read or write `clear_short`, with the
  /// `tick` from before the call. `waiting`: `w` waits, and the target of `cx` will be woken.
  wait_result poll_ready(direction kind, io_waiter& w, context& cx) noexcept {
    return is_ready_here(kind, cx) ? wait_result::ready : wait(kind, w, cx);
  }
  /// The part of it that is worth having inline: on its own loop, and ready.
  bool is_ready_here(direction kind, const context& cx) const noexcept {
    return home == context_access::runtime(cx) && is_ready(kind);
  }
  /// The other part.
  wait_result wait(direction kind, io_waiter& w, context& cx) noexcept;
  /// Forgets readiness, unless an event has come since `before`. Only after `poll_ready` has said `ready`.
  void clear(direction kind, std::uint16_t before) noexcept {
    auto now = word.load(std::memory_order_relaxed);
    while (tick_of(now) == before) {
      const auto less = now & ~static_cast<std::uint32_t>(kind);
      if ((now & shared_bit) == 0) return word.store(less, std::memory_order_relaxed);
      if (word.compare_exchange_weak(now, less, std::memory_order_relaxed)) return;
    }
  }
  /// After a read or write that moved less than it was given, so that the socket is empty or full until the next
  /// event; where that is not certain, nothing happens. Not for what moves anything but bytes.
  void clear_short(direction kind, std::uint16_t before) noexcept {
    const auto now = word.load(std::memory_order_relaxed);
    // Set by an event, exact_bit comes with another tick than `before`.
    if ((now & (shared_bit | exact_bit)) == 0) {
      if (tick_of(now) == before)
        word.store(now & ~static_cast<std::uint32_t>(kind), std::memory_order_relaxed);
    } else if ((now & exact_bit) == 0) {
      clear(kind, before);
    }
  }
  /// Only EAGAIN says that it is not ready.
  bool is_exact() const noexcept { return (word.load(std::memory_order_relaxed) & exact_bit) != 0; }
  /// As `clear`, after a try_ call, for which nobody has asked `poll_ready`: it may be on any thread.
  void clear_tried(direction kind, std::uint16_t before) noexcept;
  /// The same without a tick; only on the loop's own thread it does something.
  void clear_now(direction kind) noexcept;
  /// It cannot be watched, a file for instance, and never has to be waited for.
  bool is_always_ready() const noexcept;
  /// `w` waits until this loop has closed a descriptor: for who found none left.
  void wait_for_descriptor(io_waiter& w, context& cx) noexcept;

  bool is_ready(direction kind) const noexcept {
    return (word.load(std::memory_order_acquire) & static_cast<std::uint32_t>(kind)) != 0;
  }
  /// Counts events; to be read before the system call.
  std::uint16_t tick() const noexcept { return tick_of(word.load(std::memory_order_acquire)); }
  static std::uint16_t tick_of(std::uint32_t w) noexcept {
    return static_cast<std::uint16_t>(w >> 16);
  }
};

/// Stands where there is none: every call on it says EBADF. Never written.
inline constinit readiness no_source{nullptr, -1};

/// Owns a descriptor and its registration with the loop of the current runtime.
///
/// Threads: used on the loop it was made on, in a pool on that of any worker; it may be destroyed anywhere: its
/// loop closes the descriptor, at its next turn.
/// Lifetime: may outlive the runtime; then no wait waits, and the system calls tell.
class registration {
 public:
  registration() noexcept = default;
  /// Takes `fd` over: sets it non-blocking and registers it. It counts as writable and not readable
  /// until something else is known. On failure the descriptor is closed.
  /// Errors: outside a runtime misuse; EEXIST for a descriptor that is registered already (it is left
  /// to that registration); what the system says.
  static result<registration> adopt(int fd, const char* operation,
                                    descriptor_kind what = descriptor_kind::any) noexcept;
  registration(registration&& other) noexcept : state_(std::exchange(other.state_, &no_source)) {}
  registration& operator=(registration&& other) noexcept {
    registration taken(std::move(other));
    std::swap(state_, taken.state_);
    return *this;
  }
  // Compiled: inlined, g++ 12 takes an std::optional<tcp_stream> for uninitialised (-Wmaybe-uninitialized).
  ~registration();

  bool valid() const noexcept { return state_ != &no_source; }
  /// The descriptor; -1 when there is none.
  int fd() const noexcept { return state_->fd; }
  /// What leaves refer to. Lifetime: until the handle, or the one it was moved to, is destroyed.
  readiness& state() const noexcept { return *state_; }

 private:
  friend class watched_descriptor;
  explicit registration(readiness* s) noexcept : state_(s) {}

  readiness* state_ = &no_source;  // or an watched_descriptor
};

/// What a leaf answers for `wait_result::elsewhere`, and for `wait_result::ended` when the call said EAGAIN.
error awaited_elsewhere() noexcept;
error awaited_after_the_end(const char* operation) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
