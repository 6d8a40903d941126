#pragma once
// Which of a pool's workers sleep, and how many look for work in other workers' queues.
//
// I1  Whoever makes work public and then finds, by `wants_one`, somebody asleep and nobody searching, calls one.
// I2  A worker says that it will sleep (`lie_down`) and looks at all queues after that. Both sides are seq_cst:
//     one of the two sees the other. The last searcher to give up does the same.
// I3  A worker that is called is counted as searching at once, so that two pieces of work made one after the
//     other do not call two before the first has had a look.
// I4  A searcher that finds work and was the last one calls the next: there may be more. So does one that has
//     something else to do first, a local task: that may take long.
//
// A template over the memory for the model checker (test/model).

#include <atomic>
#include <cstdint>
#include <vector>

#include <eddy/base/detail/lock.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class Memory>
class idle_workers {
 public:
  static constexpr std::uint32_t nobody = UINT32_MAX;

  explicit idle_workers(std::uint32_t workers) : workers_(workers), asleep_(workers, false) {
    order_.reserve(workers);
  }

  /// Asked after work has been made public: is somebody to be called?
  bool wants_one() const noexcept {
    const auto c = counts_.load(std::memory_order_seq_cst);
    return sleeping(c) != 0 && searching(c) == 0;
  }
  /// A sleeper to be woken, which now counts as searching; or nobody.
  std::uint32_t call() noexcept {
    const locked held(lock_);
    if (!wants_one()) return nobody;
    const auto who = order_.back();
    order_.pop_back();
    asleep_[who] = false;
    counts_.fetch_add(one_searching - one_sleeping, std::memory_order_seq_cst);
    return who;
  }
  /// May this worker search? Half of them at most do.
  bool begin_search() noexcept {
    auto c = counts_.load(std::memory_order_relaxed);
    do {
      if (2 * searching(c) >= workers_) return false;
    } while (!counts_.compare_exchange_weak(c, c + one_searching, std::memory_order_seq_cst,
                                            std::memory_order_relaxed));
    return true;
  }
  /// A searcher has found work. True when it was the last one: I4.
  bool found() noexcept {
    return searching(counts_.fetch_sub(one_searching, std::memory_order_seq_cst)) == 1;
  }
  /// Worker `who` goes to sleep; `was_searching` is over by that. Look at the queues again now.
  void lie_down(std::uint32_t who, bool was_searching) noexcept {
    const locked held(lock_);
    order_.push_back(who);
    asleep_[who] = true;
    counts_.fetch_add(one_sleeping - (was_searching ? one_searching : 0),
                      std::memory_order_seq_cst);
  }
  /// It is awake. True: it was called, and counts as searching.
  bool get_up(std::uint32_t who) noexcept {
    const locked held(lock_);
    if (!asleep_[who]) return true;
    asleep_[who] = false;
    for (auto& each : order_)
      if (each == who) {
        each = order_.back();
        order_.pop_back();
        break;
      }
    counts_.fetch_sub(one_sleeping, std::memory_order_seq_cst);
    return false;
  }

 private:
  using lock = basic_lock<Memory>;
  using locked = detail::locked<lock>;
  static constexpr std::uint32_t one_searching = 1;
  static constexpr std::uint32_t one_sleeping = 1U << 16;
  static std::uint32_t searching(std::uint32_t c) noexcept { return c & 0xffff; }
  static std::uint32_t sleeping(std::uint32_t c) noexcept { return c >> 16; }

  typename Memory::template atomic<std::uint32_t> counts_{0};  // partners: here, I2
  const std::uint32_t workers_;
  lock lock_;
  std::vector<std::uint32_t> order_;  // who sleeps, the last to lie down at the end; under lock_
  std::vector<bool> asleep_;          // under lock_
};

}}}  // namespace eddy::EDDY_ABI::detail
