#pragma once
// A timer that is awaited through an object that may change its mind while somebody waits: an `interval`
// that is reset, a `delay_queue` that gets an earlier entry.
//
// I1  The source lists the leaves that wait on it, and each knows its source. Whoever goes first takes the
//     link away: a leaf leaves the list, a source leaves its leaves `orphaned`.
// I2  Copying or moving a source leaves the leaves where they are: with the object they were made from.
// I3  A leaf in the list is in a wheel, or its task has been woken and has not polled it since.
//
// Threads: those of the source, one task's at a time.

#include <cstdint>
#include <utility>

#include <eddy/base/detail/list.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/time/clock.hpp>
#include <eddy/time/sleep.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class timer_source;

/// The leaf's side.
class linked_timer : public list_node {
 public:
  explicit linked_timer(timer_source& s) noexcept : source_(&s) {}
  linked_timer(linked_timer&&) noexcept = default;
  ~linked_timer() { leave(); }

  bool orphaned() const noexcept { return source_ == nullptr; }
  /// True when `t` has passed; otherwise the target of `cx` will be woken then, or when the source has found
  /// a better time. Not for one that is orphaned.
  bool poll_elapsed(context& cx, instant t) noexcept;
  /// Waits no more.
  void leave() noexcept {
    if (linked()) unlink();
  }

 private:
  friend timer_source;
  timer_source* source_;
  timer_leaf timer_{0};
};

/// The side of the object that knows the time.
class timer_source {
 public:
  timer_source() noexcept = default;
  timer_source(const timer_source&) noexcept {}
  timer_source& operator=(const timer_source&) noexcept { return *this; }
  ~timer_source() {
    while (linked_timer* const leaf = waiting_.pop_front()) leaf->source_ = nullptr;
  }
  /// Whoever waits now waits for `t`, and is woken at once when that is over. Nobody is woken needlessly.
  void retime(instant t) noexcept {
    if (waiting_.empty()) return;
    list<linked_timer> rest(std::move(waiting_));
    while (linked_timer* const leaf = rest.pop_front()) {
      waiting_.push_back(*leaf);
      leaf->timer_.reset(to_nanoseconds(t));
    }
  }
  /// Whoever waits is to look again.
  void wake() noexcept { retime(instant::min()); }

 private:
  friend linked_timer;
  list<linked_timer> waiting_;
};

inline bool linked_timer::poll_elapsed(context& cx, instant t) noexcept {
  timer_.reset(to_nanoseconds(t));
  if (timer_.poll_elapsed(cx)) return true;
  if (!linked()) source_->waiting_.push_back(*this);
  return false;
}

}}}  // namespace eddy::EDDY_ABI::detail
