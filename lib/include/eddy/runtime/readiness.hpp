#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/list.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/chain.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/waker.hpp>

// The narrow interface between sockets and whatever watches descriptors; src/runtime/reactor.hpp is
// behind it. Nothing above knows how the watching is done.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class io_source;  // one descriptor watched by a loop: src/runtime/reactor.hpp

/// What one waits for; a bit in `io_state::ready`.
enum class interest : std::uint8_t { read = 1, write = 2 };

/// What a wait for readiness says.
enum class io_poll : std::uint8_t {
  waiting,    // the waiter is in the list; the task will be woken
  ready,      // try the system call
  ended,      // the runtime has ended: try the system call, and do not wait
  elsewhere,  // polled on another runtime than the one the descriptor is registered with
};

struct io_state;

/// A task that waits for a descriptor; a node in the leaf that waits.
struct io_waiter : list_node {
  waker who;

  io_waiter() noexcept = default;
  explicit io_waiter(io_state& s) noexcept : at_(reinterpret_cast<std::uintptr_t>(&s)) {}
  io_waiter(io_waiter&& other) noexcept  // until its first poll
      : list_node(), at_(other.at_.load(std::memory_order_relaxed)) {}
  ~io_waiter() {
    if (is_waiting()) leave();
  }
  /// What it waits for, or is to wait for.
  io_state& io() const noexcept {
    return *reinterpret_cast<io_state*>(at_.load(std::memory_order_relaxed) & ~listed);
  }
  /// False: it is in no list, or has been taken out and woken.
  bool is_waiting() const noexcept { return (at_.load(std::memory_order_acquire) & listed) != 0; }
  /// Waits no more.
  void leave() noexcept;
  /// Goes on waiting, for the target of `cx`; false: it has been woken.
  bool stay(context& cx) noexcept;

  // For the reactor, under that guard.
  void enter(io_state& s) noexcept {
    at_.store(reinterpret_cast<std::uintptr_t>(&s) | listed, std::memory_order_relaxed);
  }
  /// The last that is done to it by whoever takes it out.
  void left() noexcept {
    at_.store(at_.load(std::memory_order_relaxed) & ~listed, std::memory_order_release);
  }

 private:
  static constexpr std::uintptr_t listed = 1;
  /// An io_state, and whether this is in a list of its. In a pool another thread may take it out: partners left
  /// and is_waiting. The list's links are under that loop's guard.
  std::atomic<std::uintptr_t> at_{0};
};

/// What is known of a descriptor that is adopted: a TCP stream's may be watched edge-triggered.
enum class descriptor_kind : std::uint8_t { any, tcp_stream };

/// A descriptor watched by a loop, as a leaf sees it; the rest is io_source's. Each direction is used by one
/// task at a time: on the loop's own thread, in a pool on any worker's.
struct io_state {
  scheduler* home;  // the loop it is registered with, kept by a reference
  int fd;
  // What is ready (bits of interest), whether it is a pool's (bit 7), whether only EAGAIN says that it is not ready
  // (bit 6, which stays once it is set: src/runtime/edge_watch.hpp, I4), and in the upper half a count of events.
  // Written by the loop and by who clears, which in a pool may be two threads. Partners: event, clear.
  std::atomic<std::uint32_t> word{static_cast<std::uint32_t>(interest::write)};
  static constexpr std::uint32_t shared_bit = 0x80;
  static constexpr std::uint32_t exact_bit = 0x40;
  // A note of who receives datagrams here (net/datagram_guess.hpp), partner itself.
  std::atomic<std::uint8_t> guess{0};

  /// `ready`: try the system call, and on EAGAIN call `clear`, after a short read or write `clear_short`, with the
  /// `tick` from before the call. `waiting`: `w` waits, and the target of `cx` will be woken.
  io_poll poll_ready(interest kind, io_waiter& w, context& cx) noexcept {
    return is_ready_here(kind, cx) ? io_poll::ready : wait(kind, w, cx);
  }
  /// The part of it that is worth having inline: on its own loop, and ready.
  bool is_ready_here(interest kind, const context& cx) const noexcept {
    return home == context_access::runtime(cx) && is_ready(kind);
  }
  /// The other part.
  io_poll wait(interest kind, io_waiter& w, context& cx) noexcept;
  /// Forgets readiness, unless an event has come since `before`. Only after `poll_ready` has said `ready`.
  void clear(interest kind, std::uint16_t before) noexcept {
    auto now = word.load(std::memory_order_relaxed);
    while (tick_of(now) == before) {
      const auto less = now & ~static_cast<std::uint32_t>(kind);
      if ((now & shared_bit) == 0) return word.store(less, std::memory_order_relaxed);
      if (word.compare_exchange_weak(now, less, std::memory_order_relaxed)) return;
    }
  }
  /// After a read or write that moved less than it was given, so that the socket is empty or full until the next
  /// event; where that is not certain, nothing happens. Not for what moves anything but bytes.
  void clear_short(interest kind, std::uint16_t before) noexcept {
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
  void clear_tried(interest kind, std::uint16_t before) noexcept;
  /// The same without a tick; only on the loop's own thread it does something.
  void clear_now(interest kind) noexcept;
  /// It cannot be watched, a file for instance, and never has to be waited for.
  bool is_always_ready() const noexcept;
  /// `w` waits until this loop has closed a descriptor: for who found none left.
  void wait_for_descriptor(io_waiter& w, context& cx) noexcept;

  bool is_ready(interest kind) const noexcept {
    return (word.load(std::memory_order_acquire) & static_cast<std::uint32_t>(kind)) != 0;
  }
  /// Counts events; to be read before the system call.
  std::uint16_t tick() const noexcept { return tick_of(word.load(std::memory_order_acquire)); }
  static std::uint16_t tick_of(std::uint32_t w) noexcept {
    return static_cast<std::uint16_t>(w >> 16);
  }
};

/// Stands where there is none: every call on it says EBADF. Never written.
inline constinit io_state no_source{nullptr, -1};

/// Owns a descriptor and its registration with the loop of the current runtime.
///
/// Threads: used on the loop it was made on, in a pool on that of any worker; it may be destroyed anywhere: its
/// loop closes the descriptor, at its next turn.
/// Lifetime: may outlive the runtime; then no wait waits, and the system calls tell.
class io_handle {
 public:
  io_handle() noexcept = default;
  /// Takes `fd` over: sets it non-blocking and registers it. It counts as writable and not readable
  /// until something else is known. On failure the descriptor is closed.
  /// Errors: outside a runtime misuse; EEXIST for a descriptor that is registered already (it is left
  /// to that registration); what the system says.
  static result<io_handle> adopt(int fd, const char* operation,
                                 descriptor_kind what = descriptor_kind::any) noexcept;
  io_handle(io_handle&& other) noexcept : state_(std::exchange(other.state_, &no_source)) {}
  io_handle& operator=(io_handle&& other) noexcept {
    io_handle taken(std::move(other));
    std::swap(state_, taken.state_);
    return *this;
  }
  // Compiled: inlined, g++ 12 takes an std::optional<tcp_stream> for uninitialised (-Wmaybe-uninitialized).
  ~io_handle();

  bool valid() const noexcept { return state_ != &no_source; }
  /// The descriptor; -1 when there is none.
  int fd() const noexcept { return state_->fd; }
  /// What leaves refer to. Lifetime: until the handle, or the one it was moved to, is destroyed.
  io_state& state() const noexcept { return *state_; }

 private:
  friend class io_source;
  explicit io_handle(io_state* s) noexcept : state_(s) {}

  io_state* state_ = &no_source;  // or an io_source
};

/// What a leaf answers for `io_poll::elsewhere`, and for `io_poll::ended` when the call said EAGAIN.
error awaited_elsewhere() noexcept;
error awaited_after_the_end(const char* operation) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
