#pragma once
// Runs the code of two or three threads in every order, and looks whether all end well.
//
// The code is the library's own, instantiated for a third memory (base/detail/memory.hpp): each operation on one of
// its atomics is a step, at which any thread may go on. A run is one order of steps; `explore` replays the
// scenario from its beginning once for every order there is, depth first.
//
// Covered: all orders of the steps, under sequential consistency. A thread that waits for ever (a lost wake, a
// deadlock) is found because nobody can go on; an endless loop by its number of steps; wrong outcomes by
// `require`, in a thread or at the end.
// Not covered: weak memory orders and races of plain accesses (both are TSan's, on the stress tests); a weak
// compare-and-swap never fails for no reason, and a wait never returns for none.
//
// With `most_preemptions` only the orders in which a thread is interrupted that often are run: most bugs want
// two. Three threads need it; two usually do not.
//
// C1  Threads are contexts with a stack each, all on the thread of the test. `at_step` is where they change.
// C2  A run is repeatable: what a scenario does depends on nothing but the choices, which `path_` holds.
// C3  After a failure no thread goes on; what was on their stacks is left lying.

#include <doctest/doctest.h>
#include <ucontext.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <eddy/core/context.hpp>
#include <eddy/core/waker.hpp>

#include "base/sanitizer.hpp"
#ifdef EDDY_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace model {

struct options {
  int most_preemptions = -1;  // any
  int most_steps = 2000;      // of one run
};

/// What came of an exploration.
struct report {
  std::uint64_t runs = 0;
  std::string failure;  // empty: none; else what, and in which order of threads
};

class checker {
 public:
  /// The one that is exploring; null outside.
  static checker*& current() noexcept {
    static checker* one = nullptr;
    return one;
  }

  explicit checker(options o) : options_(o) { current() = this; }
  checker(const checker&) = delete;
  ~checker() { current() = nullptr; }

  /// One run of `bodies`; false when it has failed.
  bool run(std::vector<std::function<void()>> bodies) {
    threads_ = std::vector<thread>(bodies.size());
    for (std::size_t i = 0; i < bodies.size(); ++i) start(threads_[i], i, std::move(bodies[i]));
    at_ = 0;
    steps_ = 0;
    preemptions_ = 0;
    last_ = none;
    order_.clear();
    for (std::size_t i = 0; i < threads_.size(); ++i) resume(i);  // to its first step
    last_ = none;
    while (failure_.empty()) {
      const auto next = choose_thread();
      if (next == none) break;
      order_ += std::to_string(next);
      if (++steps_ > options_.most_steps) {
        fail("no end in sight");
        break;
      }
      ++threads_[next].steps;
      for (std::size_t i = 0; i < threads_.size(); ++i)
        if (i != next && threads_[i].at == state::paused) threads_[i].at = state::ready;
      resume(next);
    }
    if (failure_.empty())
      for (const auto& t : threads_)
        if (t.at != state::ended) fail("nobody can go on");
    return failure_.empty();
  }
  /// To the next order; false when there is none left.
  bool next_path() {
    while (!path_.empty() && path_.back().taken + 1 == path_.back().of) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().taken;
    return true;
  }
  const std::string& failure() const noexcept { return failure_; }
  void fail(const std::string& what) {
    if (failure_.empty()) failure_ = what + "; threads went in the order " + order_;
  }

  // ---- called by the threads

  /// Before every operation on an atomic: others may go first.
  void at_step() {
    if (running_ == none) return;  // the scenario's setting up, or its end
    leave(threads_[running_]);
  }
  /// Until somebody wakes this address.
  void sleep_on(const void* address) {
    auto& me = threads_[running_];
    me.at = state::asleep;
    me.address = address;
    leave(me);
  }
  void wake(const void* address, bool all) {
    std::vector<std::size_t> sleepers;
    for (std::size_t i = 0; i < threads_.size(); ++i)
      if (threads_[i].at == state::asleep && threads_[i].address == address) sleepers.push_back(i);
    if (sleepers.empty()) return;
    if (all)
      for (const auto i : sleepers) threads_[i].at = state::ready;
    else
      threads_[sleepers[choose(sleepers.size())]].at = state::ready;
  }
  /// Steps of threads other than the running one.
  int steps_of_others() const { return steps_ - threads_[running_].steps; }
  /// Until some other thread has gone a step: for loops that only that can end.
  void pause() {
    threads_[running_].at = state::paused;
    leave(threads_[running_]);
  }
  /// The run is over, badly.
  void fail_here(const std::string& what) {
    fail(what);
    if (running_ != none) leave(threads_[running_]);
  }

 private:
  enum class state { ready, asleep, paused, ended };
  static constexpr std::size_t none = ~std::size_t{0};
  static constexpr std::size_t most_threads = 4;
  static constexpr std::size_t stack_bytes = 256 * 1024;

  struct thread {
    ucontext_t context{};
    std::function<void()> body;
    char* stack = nullptr;
    state at = state::ready;
    int steps = 0;
    const void* address = nullptr;
  };
  struct choice {
    std::size_t taken;
    std::size_t of;
  };

  static char* stack_of(std::size_t i) {
    static std::array<std::unique_ptr<char[]>, most_threads> stacks;
    if (!stacks.at(i)) stacks[i] = std::make_unique<char[]>(stack_bytes);
    return stacks[i].get();
  }
  void start(thread& t, std::size_t i, std::function<void()> body) {
    t.body = std::move(body);
    t.stack = stack_of(i);
    ::getcontext(&t.context);
    t.context.uc_stack.ss_sp = t.stack;
    t.context.uc_stack.ss_size = stack_bytes;
    t.context.uc_link = nullptr;
    ::makecontext(&t.context, &checker::enter, 0);
  }
  static void enter() {
    auto& c = *current();
    c.arrived(nullptr);
    auto& me = c.threads_[c.running_];
    me.body();
    me.body = nullptr;
    me.at = state::ended;
    c.leave(me);
  }

  // To a thread and back.
  void resume(std::size_t i) {
    running_ = i;
    auto& t = threads_[i];
#ifdef EDDY_ASAN
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, t.stack, stack_bytes);
#endif
    ::swapcontext(&home_, &t.context);
#ifdef EDDY_ASAN
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
    running_ = none;
    last_ = i;
  }
  void leave(thread& t) {
#ifdef EDDY_ASAN
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(t.at == state::ended ? nullptr : &fake, home_stack_,
                                   home_bytes_);
    ::swapcontext(&t.context, &home_);
    arrived(fake);
#else
    ::swapcontext(&t.context, &home_);
#endif
  }
  void arrived([[maybe_unused]] void* fake) {
#ifdef EDDY_ASAN
    __sanitizer_finish_switch_fiber(fake, &home_stack_, &home_bytes_);
#endif
  }

  std::size_t choose(std::size_t of) {
    if (of == 1) return 0;
    if (at_ == path_.size()) path_.push_back({0, of});
    return path_[at_++].taken;
  }
  // The thread that went last is the first choice: no preemption.
  std::size_t choose_thread() {
    std::array<std::size_t, most_threads> can;
    std::size_t count = 0;
    const bool goes_on = last_ != none && threads_[last_].at == state::ready;
    if (goes_on) can[count++] = last_;
    if (!goes_on || preemptions_ != options_.most_preemptions)
      for (std::size_t i = 0; i < threads_.size(); ++i)
        if (threads_[i].at == state::ready && !(goes_on && i == last_)) can[count++] = i;
    if (count == 0) return none;
    const auto next = can[choose(count)];
    if (goes_on && next != last_) ++preemptions_;
    return next;
  }

  const options options_;
  std::vector<thread> threads_;
  std::vector<choice> path_;  // the order of this run, as far as it is fixed
  std::size_t at_ = 0;        // in path_
  std::size_t running_ = none;
  std::size_t last_ = none;
  int steps_ = 0;
  int preemptions_ = 0;
  std::string order_;
  std::string failure_;
  ucontext_t home_{};
#ifdef EDDY_ASAN
  const void* home_stack_ = nullptr;
  std::size_t home_bytes_ = 0;
#endif
};

inline void require(bool holds, const char* what) {
  if (!holds) checker::current()->fail_here(what);
}

/// Explores `threads`, each a function of a fresh `State`; `at_end` looks at it when all have ended.
template <class State>
report explore(std::vector<std::function<void(State&)>> threads, std::function<void(State&)> at_end,
               options o = {}) {
  report r;
  checker c(o);
  do {
    auto state = std::make_unique<State>();
    std::vector<std::function<void()>> bodies;
    for (const auto& each : threads) bodies.emplace_back([&each, &s = *state] { each(s); });
    ++r.runs;
    if (c.run(std::move(bodies))) at_end(*state);
    if (c.failure().empty()) state.reset();  // its tasks look for wakers that are left over
    r.failure = c.failure();
    if (!r.failure.empty()) {
      static auto& wrecks = *new std::vector<State*>;  // C3
      if (state) wrecks.push_back(state.release());
      return r;
    }
  } while (c.next_path());
  return r;
}

/// An atomic of which every operation is a step.
template <class T>
class atomic {
 public:
  constexpr atomic(T value = T()) noexcept : value_(value) {}
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(std::memory_order) const noexcept { return step(), value_; }
  void store(T value, std::memory_order) noexcept { step(), value_ = value; }
  T exchange(T value, std::memory_order) noexcept { return step(), std::exchange(value_, value); }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order,
                               std::memory_order) noexcept {
    step();
    if (value_ != expected) return expected = value_, false;
    return value_ = desired, true;
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order a,
                             std::memory_order b) noexcept {
    return compare_exchange_strong(expected, desired, a, b);
  }
  T fetch_add(T n, std::memory_order) noexcept {
    return change(static_cast<T>(value_before() + n));
  }
  T fetch_sub(T n, std::memory_order) noexcept {
    return change(static_cast<T>(value_before() - n));
  }
  T fetch_or(T n, std::memory_order) noexcept { return change(static_cast<T>(value_before() | n)); }
  T fetch_and(T n, std::memory_order) noexcept {
    return change(static_cast<T>(value_before() & n));
  }
  void wait(T old, std::memory_order) const noexcept {
    for (step(); value_ == old; step()) checker::current()->sleep_on(this);
  }
  void notify_one() noexcept { step(), checker::current()->wake(this, false); }
  void notify_all() noexcept { step(), checker::current()->wake(this, true); }

 private:
  void step() const {
    if (auto* const c = checker::current()) c->at_step();
  }
  T value_before() const { return step(), value_; }
  T change(T to) noexcept { return std::exchange(value_, to); }

  T value_;
};

/// The third memory of base/detail/memory.hpp.
struct memory {
  template <class T>
  using atomic = model::atomic<T>;
  struct mark {};
  static void check(mark&) noexcept {}
  static constexpr bool single_threaded() noexcept { return false; }
  static constexpr int spins = 1;
};

/// Stands for a task with a loop of its own: sleeps until it is woken, and polls again.
class task final : public eddy::wake_target {
 public:
  task() = default;
  task(const task&) = delete;
  ~task() {
    if (checker::current()->failure().empty()) require(references_ == 0, "a waker was left over");
  }

  /// `poll(cx)` until it says true.
  template <class Poll>
  void wait_for(Poll poll) {
    for (;;) {
      const int before = checker::current()->steps_of_others();
      retain();  // as whoever polls a task has one
      eddy::context cx(*this);
      const bool done = poll(cx);
      release();
      if (done) return;
      woken_.wait(0, std::memory_order_acquire);
      static_cast<void>(woken_.exchange(0, std::memory_order_acquire));
      // It woke itself: on its own loop others would go first.
      if (checker::current()->steps_of_others() == before) checker::current()->pause();
    }
  }
  void wake() noexcept override {
    require(references_ > 0, "woken without a reference");
    woken_.store(1, std::memory_order_release);
    woken_.notify_one();
  }
  // Plain: they are not what is being checked.
  void retain() noexcept override { ++references_; }
  void release() noexcept override { --references_; }

 private:
  atomic<std::uint32_t> woken_{0};
  int references_ = 0;
};

}  // namespace model
