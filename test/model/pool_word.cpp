// The word of a pool's task, in all orders. Each scenario was seen to fail with faults planted in the code it drives.

#include "model/checker.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "task/pool_word.hpp"

namespace {

using eddy::detail::pool_word;
using model::require;

constexpr auto order = std::memory_order_seq_cst;
/// For two threads, and for three.
constexpr model::options few{.most_preemptions = 3};
constexpr model::options fewer{.most_preemptions = 2};

template <class State>
void holds(std::vector<std::function<void(State&)>> threads, std::function<void(State&)> at_end,
           model::options o = {}) {
  const auto r = model::explore<State>(std::move(threads), std::move(at_end), o);
  CHECK(r.failure == "");
  CHECK(r.runs > 10);
}

/// A word, and what `wait` of it is for.
class signal {
 public:
  void set() noexcept {
    word_.store(1, order);
    word_.notify_all();
  }
  void clear() noexcept { word_.store(0, order); }
  bool is_set() const noexcept { return word_.load(order) != 0; }
  void wait() const noexcept { word_.wait(0, order); }

 private:
  model::atomic<std::uint32_t> word_{0};
};

/// A pool's task as pool_task.cpp drives its word: same operations, same order, no frames. Whoever touches it
/// when it has been freed is found out.
struct pooled {
  /// Its word: a step, and in the same moment the look whether it is still there.
  class checked_word {
   public:
    explicit checked_word(pooled& task) : task_(task) {}
    std::int32_t load(std::memory_order o) const { return checked(word_.load(o)); }
    std::int32_t fetch_add(std::int32_t n, std::memory_order o) {
      return checked(word_.fetch_add(n, o));
    }
    std::int32_t fetch_sub(std::int32_t n, std::memory_order o) {
      return checked(word_.fetch_sub(n, o));
    }
    std::int32_t fetch_and(std::int32_t n, std::memory_order o) {
      return checked(word_.fetch_and(n, o));
    }
    bool compare_exchange_weak(std::int32_t& expected, std::int32_t desired, std::memory_order a,
                               std::memory_order b) {
      return checked(word_.compare_exchange_weak(expected, desired, a, b));
    }

   private:
    template <class T>
    T checked(T value) const {
      task_.touch();
      return value;
    }
    pooled& task_;
    model::atomic<std::int32_t> word_{pool_word::queued};
  };

  /// `wakers` other threads have one; the event `last` ends it.
  explicit pooled(int wakers = 0, std::uint32_t last = 0) : wanted(last), refs(2 + wakers) {}
  pooled(const pooled&) = delete;

  // The task.
  checked_word word{*this};
  model::atomic<std::uint32_t> events{0};
  const std::uint32_t wanted;
  bool outcome_holds_waker = false;
  int refs;
  bool has_outcome = false;
  model::atomic<int> joiner{0};  // 1, 2: tasks that await it

  // What came of it.
  int freed = 0;
  int outcomes = 0;
  int outcomes_dropped = 0;
  int polls = 0;
  bool running = false;
  int joiner_refs[3] = {};
  signal joiner_woken[3];

  // The one queue: 0 it is not in it, 1 it is, 2 it has ended.
  model::atomic<std::uint32_t> queue{1};

  void touch() const { require(freed == 0, "touched after it was freed"); }
  void free() {
    touch();
    require(!has_outcome, "freed with its outcome");
    ++freed;
  }
  void drop_outcome() {
    touch();
    if (!has_outcome) return;
    has_outcome = false;
    ++outcomes_dropped;
    if (!outcome_holds_waker) return;
    if (running)
      --refs;
    else
      release();
  }

  // ---- any thread that has a reference
  void ask(std::int32_t bits, std::int32_t given_back) {
    switch (pool_word::ask(word, bits, given_back)) {
      case pool_word::asked::queue:
        touch();
        require(queue.exchange(1, order) == 0, "in the queue twice");
        queue.notify_one();
        break;
      case pool_word::asked::free:
        free();
        break;
      case pool_word::asked::nothing:
        break;
    }
  }
  void retain() { pool_word::retain(word); }
  void release() {
    if (pool_word::release(word)) free();
  }
  void happen() { events.fetch_add(1, order); }

  // ---- workers
  void work() {
    for (;;) {
      queue.wait(0, order);
      std::uint32_t there = 1;
      if (queue.compare_exchange_strong(there, 0, order, order))
        run();
      else if (there == 2)
        return;
    }
  }
  void run() {
    for (;;) {
      begin_running();
      if (pool_word::begin(word)) return finish(false);
      ++polls;
      if (events.load(order) == wanted) return finish(true);
      // From the moment that `queued` is cleared another may run it, so this is over before.
      running = false;
      const auto after = pool_word::suspend(word);
      if (after == pool_word::after_poll::idle) return;
      if (after == pool_word::after_poll::again) continue;
      begin_running();
      return finish(false);
    }
  }
  void begin_running() {
    touch();
    require(!running, "two have it");
    running = true;
  }
  void finish(bool with_outcome) {
    touch();
    has_outcome = with_outcome;
    outcomes += with_outcome ? 1 : 0;
    if (with_outcome && outcome_holds_waker) ++refs;
    auto end = pool_word::finish(word, refs - 1, has_outcome);
    if (end == pool_word::ended::unjoined) {
      drop_outcome();
      end = pool_word::finish(word, refs - 1, false);
    }
    running = false;
    if (end == pool_word::ended::free) free();
    if (end == pool_word::ended::joined) {
      const int woken = joiner.exchange(0, order);
      touch();
      if (pool_word::release(word)) free();
      joiner_woken[woken].set();
      --joiner_refs[woken];
    }
    queue.store(2, order);
    queue.notify_all();
  }

  // ---- the handle
  /// True: it has ended.
  bool poll_join(int target) {
    const auto now = word.load(order);
    if ((now & pool_word::done) != 0) return true;
    if ((now & pool_word::join) != 0) {
      if (joiner_now() == target) return false;
      if (!pool_word::clear_join(word)) return true;
      --joiner_refs[joiner_now()];
    }
    ++joiner_refs[target];
    joiner.store(target, order);
    touch();
    if (pool_word::set_join(word)) return false;
    joiner.store(0, order);
    --joiner_refs[target];
    return true;
  }
  int joiner_now() {
    const int now = joiner.load(order);
    touch();
    return now;
  }
  void await(int target) {
    while (!poll_join(target)) {
      joiner_woken[target].wait();
      joiner_woken[target].clear();
    }
    touch();
    drop_outcome();  // it takes it
    drop_handle();
  }
  void drop_handle() {
    const int mine = joiner_now();
    switch (pool_word::leave(word)) {
      case pool_word::left::early:
        return;
      case pool_word::left::joiner:
        --joiner_refs[mine];
        return;
      case pool_word::left::late:
        break;
    }
    drop_outcome();
    release();
  }
};

template <int Wakers, std::uint32_t Wanted>
struct woken_by : pooled {
  woken_by() : pooled(Wakers, Wanted) {}
};
struct with_waker_in_outcome : pooled {
  with_waker_in_outcome() : pooled(1, 1) { outcome_holds_waker = true; }
};

constexpr auto work = [](pooled& t) { t.work(); };
constexpr auto wake = [](pooled& t) {
  t.happen();
  t.ask(pool_word::wake, 1);
};
constexpr auto wake_then_release = [](pooled& t) {
  t.happen();
  t.ask(pool_word::wake, 0);
  t.release();
};
constexpr auto abort_it = [](pooled& t) {
  t.ask(pool_word::abort, 0);
  t.release();
};
constexpr auto drop_handle = [](pooled& t) { t.drop_handle(); };
constexpr auto await_it = [](pooled& t) { t.await(1); };
constexpr auto ask_then_drop = [](pooled& t) {
  if (!t.poll_join(1)) require(t.joiner_refs[1] <= 1, "one joiner");
  t.drop_handle();
};
constexpr auto ask_then_await_elsewhere = [](pooled& t) {
  static_cast<void>(t.poll_join(1));
  t.await(2);
};

constexpr auto all_is_gone = [](pooled& t) {
  require(t.freed == 1, "freed once");
  require(t.outcomes_dropped == t.outcomes, "outcome dropped once");
  for (const int n : t.joiner_refs) require(n == 0, "joiner dropped once");
};
constexpr auto it_ended_by_itself = [](pooled& t) {
  all_is_gone(t);
  require(t.outcomes == 1, "it has come to its end");
};

TEST_CASE("pool_word: a wake after the last look makes another poll") {
  holds<woken_by<1, 1>>({work,
                         [](pooled& t) {
                           wake(t);
                           t.drop_handle();
                         }},
                        it_ended_by_itself, few);
  holds<woken_by<1, 1>>({work, wake, drop_handle}, it_ended_by_itself, fewer);
  holds<woken_by<2, 2>>({work, wake,
                         [](pooled& t) {
                           wake_then_release(t);
                           t.drop_handle();
                         }},
                        it_ended_by_itself, fewer);
}

TEST_CASE("pool_word: one worker at a time has the task") {
  holds<woken_by<1, 1>>({work, work,
                         [](pooled& t) {
                           wake_then_release(t);
                           t.drop_handle();
                         }},
                        it_ended_by_itself, fewer);
  holds<woken_by<2, 2>>({work, work,
                         [](pooled& t) {
                           wake_then_release(t);
                           wake(t);
                           t.drop_handle();
                         }},
                        it_ended_by_itself, fewer);
}

TEST_CASE("pool_word: who awaits it hears of the end, and takes the outcome") {
  holds<woken_by<0, 0>>({work, await_it}, it_ended_by_itself, few);
  holds<woken_by<1, 1>>({work, await_it, wake}, it_ended_by_itself, fewer);
  holds<woken_by<0, 0>>({work, ask_then_await_elsewhere}, it_ended_by_itself, few);
  holds<woken_by<1, 1>>({work, ask_then_await_elsewhere, wake_then_release}, it_ended_by_itself,
                        fewer);
}

TEST_CASE("pool_word: the outcome is dropped by the task, or by the handle that goes later") {
  holds<woken_by<0, 0>>({work, drop_handle}, it_ended_by_itself, few);
  holds<woken_by<0, 0>>({work, ask_then_drop}, it_ended_by_itself, few);
  holds<woken_by<1, 1>>({work, ask_then_drop, wake_then_release}, it_ended_by_itself, fewer);
  holds<with_waker_in_outcome>({work, drop_handle, wake}, it_ended_by_itself, fewer);
  holds<with_waker_in_outcome>({work, ask_then_drop, wake}, it_ended_by_itself, fewer);
}

TEST_CASE("pool_word: an abort ends it, asleep, queued, running or ended") {
  const auto abort_and_drop = [](pooled& t) {
    t.ask(pool_word::abort, 0);
    t.drop_handle();
  };
  const auto abort_and_await = [](pooled& t) {
    t.ask(pool_word::abort, 0);
    t.await(1);
  };
  // It waits for an event that never comes.
  holds<woken_by<0, 1>>({work, abort_and_drop}, all_is_gone, few);
  holds<woken_by<0, 1>>({work, abort_and_await}, all_is_gone, few);
  holds<woken_by<1, 1>>({work, await_it, abort_it}, all_is_gone, fewer);
  holds<woken_by<1, 2>>({work, abort_and_drop, wake}, all_is_gone, fewer);
  holds<woken_by<1, 1>>({work, abort_and_drop, wake}, all_is_gone, fewer);
  holds<woken_by<1, 1>>({work, abort_and_await, wake_then_release}, all_is_gone, fewer);
}

TEST_CASE("pool_word: the last waker frees a task that has ended") {
  const auto keep = [](pooled& t) {
    t.retain();
    t.release();
    t.release();
  };
  const auto wake_late = [](pooled& t) {
    t.ask(pool_word::wake, 0);
    t.ask(pool_word::abort, 0);
    t.ask(pool_word::wake, 1);
  };
  holds<woken_by<1, 0>>({work, drop_handle, keep}, it_ended_by_itself, fewer);
  holds<woken_by<2, 0>>({work, keep,
                         [](pooled& t) {
                           t.drop_handle();
                           t.release();
                         }},
                        it_ended_by_itself, fewer);
  holds<woken_by<1, 0>>({work, drop_handle, wake_late}, all_is_gone, fewer);
}

}  // namespace
