#pragma once
// The state of a pool's task: one word that all threads change by compare-and-swap.
//
//                          run                     root has ended
//    (new) ──► QUEUED ───────────────► (running) ─────────────────► DONE
//                ▲                       │    │
//      wake,     │    woken meanwhile    │    │ pending
//      abort     ├───────────────────────┘    │
//                └──────────── IDLE ◄─────────┘
//
//   queued  somebody answers for the task: it is in a queue, on its way into one, or being polled. Set by the one
//           that finds it clear, who then puts the task into a queue.
//   wake    somebody has woken it while it was queued: after this poll there is another one.
//   abort   it is to be destroyed instead of polled.
//   join    the task's `joiner` is valid. Who clears the bit has it, and so has who sets `done` while it is set.
//   unjoin  the handle is gone: the outcome is the task's own.
//   done    the frames are gone, and the outcome, if any, is the handle's. Then the count is all there is.
//   The rest counts references: made elsewhere less those given back there, and from `done` on all of them.
//
// I1  While `queued` is set, one thread at a time has the task: it polls it, and owns `refs`, `state` and the
//     chain, in plain memory. Leaving `queued` is the release, gaining it the acquire.
// I2  A wake is not lost: it either sets `queued`, or `wake`, which the end of the poll looks at in the same
//     operation that clears `queued`.
// I3  Nobody touches a task after he has set `done`, given back his reference, or cleared `queued`.
//
// Functions over any atomic word, for the model checker (test/model).

#include <atomic>
#include <cstdint>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct pool_word {
  static constexpr std::int32_t queued = 1;
  static constexpr std::int32_t wake = 2;
  static constexpr std::int32_t done = 4;
  static constexpr std::int32_t abort = 8;
  static constexpr std::int32_t unjoin = 16;
  static constexpr std::int32_t join = 32;
  static constexpr std::int32_t unit = 64;

  static constexpr std::int32_t count(std::int32_t word) noexcept { return word >> 6; }

  enum class asked { nothing, queue, free };

  /// Any thread: asks for a poll (`bits` = wake) or an end (abort), and gives back `refs` references.
  template <class Word>
  static asked ask(Word& word, std::int32_t bits, std::int32_t refs) noexcept {
    auto before = word.load(std::memory_order_relaxed);
    std::int32_t after = 0;
    do {
      after = before - refs * unit;
      if ((before & done) == 0) {
        if ((before & queued) != 0)
          after |= bits;
        else
          after |= queued | (bits & abort);
      } else if (refs == 0) {
        return asked::nothing;
      }
    } while (!word.compare_exchange_weak(before, after, std::memory_order_acq_rel,
                                         std::memory_order_relaxed));
    if ((before & done) != 0) return count(after) == 0 ? asked::free : asked::nothing;
    return (before & queued) == 0 ? asked::queue : asked::nothing;
  }
  /// Any thread, that has a reference: one more.
  template <class Word>
  static void retain(Word& word) noexcept {
    word.fetch_add(unit, std::memory_order_relaxed);
  }
  /// Any thread: one less. True: it was the last, and the caller frees the task.
  template <class Word>
  static bool release(Word& word) noexcept {
    // The only one left needs no operation: nobody can make another out of none.
    const auto now = word.load(std::memory_order_acquire);
    if ((now & done) != 0 && count(now) == 1) return true;
    const auto before = word.fetch_sub(unit, std::memory_order_acq_rel);
    return (before & done) != 0 && count(before) == 1;
  }

  /// The runner, before it polls: forgets the wakes this poll is for. True: to be aborted instead.
  template <class Word>
  static bool begin(Word& word) noexcept {
    auto now = word.load(std::memory_order_acquire);
    if ((now & wake) != 0) now = word.fetch_and(~wake, std::memory_order_acq_rel);
    return (now & abort) != 0;
  }
  enum class after_poll { idle, again, abort };
  /// The runner, after a poll that was pending. `idle`: the task is no longer the runner's.
  template <class Word>
  static after_poll suspend(Word& word) noexcept {
    auto before = word.load(std::memory_order_relaxed);
    do {
      if ((before & abort) != 0) return after_poll::abort;
      if ((before & wake) != 0) return after_poll::again;  // begin() forgets it
    } while (!word.compare_exchange_weak(before, before & ~queued, std::memory_order_acq_rel,
                                         std::memory_order_relaxed));
    return after_poll::idle;
  }
  enum class ended { unjoined, free, held, joined };
  /// The runner, when the frames are gone: `refs` is what the plain count holds, less the runner's own.
  /// `unjoined`: nothing has been done, because there is an outcome (`outcome`) and the handle is gone; it is the
  /// task's own, ask again without. `joined`: the joiner is the runner's, and so still is its reference: without it
  /// the handle could free the task before the joiner has been read. `free`: there are no references.
  template <class Word>
  static ended finish(Word& word, std::int32_t refs, bool outcome) noexcept {
    auto before = word.load(std::memory_order_acquire);
    std::int32_t after = 0;
    do {
      if (outcome && (before & unjoin) != 0) return ended::unjoined;
      after = ((before + refs * unit) & ~(queued | wake | abort)) | done;
      if ((before & join) != 0) after += unit;
    } while (!word.compare_exchange_weak(before, after, std::memory_order_acq_rel,
                                         std::memory_order_acquire));
    if ((before & join) != 0) return ended::joined;
    return count(after) == 0 ? ended::free : ended::held;
  }

  /// The handle: `joiner` has been written. False: the task has ended, and the joiner is still the handle's.
  template <class Word>
  static bool set_join(Word& word) noexcept {
    auto before = word.load(std::memory_order_relaxed);
    do {
      if ((before & done) != 0) return word.load(std::memory_order_acquire), false;
    } while (!word.compare_exchange_weak(before, before | join, std::memory_order_acq_rel,
                                         std::memory_order_acquire));
    return true;
  }
  /// The handle: takes the joiner back, which was set. False: the task has ended, and has it.
  template <class Word>
  static bool clear_join(Word& word) noexcept {
    auto before = word.load(std::memory_order_acquire);
    do {
      if ((before & done) != 0) return false;
    } while (!word.compare_exchange_weak(before, before & ~join, std::memory_order_acq_rel,
                                         std::memory_order_acquire));
    return true;
  }
  enum class left { early, joiner, late };
  /// The handle goes. `early`: its reference is given back, and with `joiner` the joiner is the caller's to drop.
  /// `late`: the task has ended; the outcome is the handle's, and so still is its reference.
  template <class Word>
  static left leave(Word& word) noexcept {
    auto before = word.load(std::memory_order_acquire);
    do {
      if ((before & done) != 0) return left::late;
    } while (!word.compare_exchange_weak(before, ((before | unjoin) & ~join) - unit,
                                         std::memory_order_acq_rel, std::memory_order_acquire));
    return (before & join) != 0 ? left::joiner : left::early;
  }
};

}}}  // namespace eddy::EDDY_ABI::detail
