#pragma once
// Readiness of descriptors, over uv_poll: what is behind <eddy/runtime/detail/readiness.hpp>. On Linux the TCP streams of a
// pool are watched edge-triggered instead (edge_watch.hpp); I3 and what is said of arming is not about them.
//
// libuv watches level-triggered, and each change of what is watched costs two system calls. So a source
// stays armed for a kind until an event comes that nobody wants: see I3.
//
// I1  Reactor and sources belong to the loop's owner. Other threads touch a source's `refs_`, `dead_` and
//     what never changes, and hand the closing over by `scheduler::post`. In a pool they also wait, and clear:
//     the lists of waiters, `armed_` and the like are under the loop's guard, and what a wait needs to have armed
//     is posted to the loop, for only its thread calls libuv.
// I2  A source has two parts: the user's registration and the registration (the uv handle). `refs_` counts
//     them; who takes the last away closes the descriptor and frees the block. So the descriptor is never
//     closed before libuv has let go of it, whoever drops what, and whenever the loop ends.
// I3  A kind is disarmed only by an event of that kind which finds no waiter and its readiness still
//     unconsumed (in a pool: by some of them, because a stolen task may take its time, and to arm again would
//     take a message). One event without a waiter is no reason: the task may have been woken and not have run
//     (its readiness is there, consuming it clears it). A waiter that finds its kind disarmed arms it, and
//     takes the occasion to disarm the other kind if that is ready: the change is paid for already.
// I4  While a kind's readiness is set, nobody is in its list of waiters: setting it wakes all.
// I5  libuv is not called for a source after uv_close, nor in a child made by fork (there even a close
//     would take the parent's registration away): the child only closes descriptors.
// I6  One registration a descriptor, by a table: libuv does not notice a second one.

#include <uv.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <eddy/base/detail/list.hpp>
#include <eddy/config.hpp>
#include <eddy/runtime/detail/readiness.hpp>

#include "runtime/edge_watch.hpp"
#include "task/scheduler.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class loop;

/// The sources of one loop. Threads: the loop's owner.
class reactor {
 public:
  explicit reactor(loop& owner) noexcept;
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;

  /// The loop ends: every registration is closed, everybody who waits is woken. The uv handles are gone
  /// once libuv has been turned; descriptors in the hands of the user stay open until he drops them.
  void shut_down() noexcept;
  /// Sources that are watched, or whose uv handle is not closed yet.
  std::size_t live() const noexcept { return live_; }
  /// Of these, the ones being closed: libuv wants one more turn, which also closes their descriptors.
  std::size_t closing() const noexcept { return closing_; }
  /// How often what libuv watches was changed; for tests and benchmarks.
  std::uint64_t changes() const noexcept { return changes_; }

 private:
  friend class watched_descriptor;
  friend class registration;

  bool enter_descriptor(int fd) noexcept;  // false: no memory
  bool has_descriptor(int fd) const noexcept;
  void forget_descriptor(int fd) noexcept;
  void descriptor_closed() noexcept;
  bool is_forked() const noexcept;

  loop& loop_;
  edge_watch edges_;
  list<watched_descriptor> sources_;       // registered and not closing
  list<io_waiter> out_of_descriptors_;     // woken when one is closed
  std::vector<std::uint64_t> registered_;  // a bit a descriptor
  std::size_t live_ = 0;
  std::size_t closing_ = 0;
  std::uint64_t changes_ = 0;
  const std::uint32_t generation_;  // of the process: I5
};

/// One descriptor. 256 bytes, most of them libuv's.
class watched_descriptor : public readiness, public list_node, private remote_op {
 public:
  static result<registration> adopt(int raw, const char* operation, descriptor_kind what) noexcept;

  wait_result wait(direction kind, io_waiter& w, context& cx) noexcept;
  void clear_tried(direction kind, std::uint16_t before) noexcept {
    // A loop of its own writes the word plainly.
    if (!always_ready_ && (is_shared() || is_owner_here())) clear(kind, before);
  }
  bool stay(io_waiter& w, context& cx) noexcept;
  void leave(io_waiter& w) noexcept;
  void wait_for_descriptor(io_waiter& w, context& cx) noexcept;
  bool is_always_ready() const noexcept { return always_ready_; }
  void drop() noexcept;  // any thread: the user's handle goes
  /// An event of edge_watch's: `now` are bits of `word`.
  void edge_event(std::uint32_t now) noexcept { shared_event(now); }

 private:
  friend class reactor;

  static constexpr std::uint8_t both = UV_READABLE | UV_WRITABLE;
  static constexpr std::uint8_t bit(direction kind) noexcept {
    static_assert(int{UV_READABLE} == int(direction::read) &&
                  int{UV_WRITABLE} == int(direction::write));
    return static_cast<std::uint8_t>(kind);
  }
  list<io_waiter>& waiters(direction kind) noexcept {
    return kind == direction::read ? readers_ : writers_;
  }

  watched_descriptor(loop& where, int descriptor) noexcept;
  ~watched_descriptor() = default;
  inline loop& home_loop() const noexcept;
  inline reactor& owner() const noexcept;
  bool is_owner_here() const noexcept { return this_thread().driving == home; }
  bool is_shared() const noexcept {
    return (word.load(std::memory_order_relaxed) & shared_bit) != 0;
  }
  bool is_reached_from(const context& cx) const noexcept;
  wait_result wait_shared(direction kind, io_waiter& w, context& cx) noexcept;
  wait_result wait_elsewhere() const noexcept;
  enum request : std::uint8_t { arming = 1, closing = 2 };
  int arm(std::uint8_t kinds) noexcept;
  void arm_for_waiters() noexcept;
  bool ask(std::uint8_t what) noexcept;
  void answer() noexcept;
  void event(std::uint8_t now) noexcept;
  void shared_event(std::uint32_t now) noexcept;
  void unusual_event(int status, int events) noexcept;
  void wake_all() noexcept;
  void drop_here() noexcept;
  int start_watching(descriptor_kind what) noexcept;
  void begin_close() noexcept;
  void orphan() noexcept;
  void release() noexcept;  // one part, I2
  void finish() noexcept;

  static void on_event(uv_poll_t* h, int status, int events);
  static void on_closed(uv_handle_t* h);

  std::uint8_t armed_ = 0;
  bool always_ready_ = false;  // cannot be watched: a file, /dev/null
  bool closing_ = false;
  bool by_edges_ = false;     // watched by edge_watch: never armed
  std::uint8_t asked_ = 0;    // of its loop by other threads, see `request`; not 0: it is posted
  std::uint8_t repeats_ = 0;  // events that nobody wanted, in a row: I3
  // The loop has ended; set by it (release), partner: poll_ready on whatever thread has the handle now.
  std::atomic<bool> dead_{false};
  std::atomic<std::uint8_t> refs_{2};  // I2; partner: itself, in release()
  list<io_waiter> readers_;
  list<io_waiter> writers_;
  uv_poll_t poll_;
};

}}}  // namespace eddy::EDDY_ABI::detail
