// The pool's ring (of 4 places) and sleepers, and a loop's inbox, in all orders. Each scenario was seen to fail
// with faults planted in the code it drives.

#include "model/checker.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "task/idle_workers.hpp"
#include "task/inbox.hpp"
#include "task/steal_queue.hpp"

namespace {

using model::memory;
using model::require;

constexpr auto order = std::memory_order_seq_cst;
/// The shortest scenarios are run in all orders; those of two threads mostly with three preemptions, those of
/// three with two.
constexpr model::options all{};
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

// ---- steal_queue

struct item {
  int times_taken = 0;
  item* inbox_next = nullptr;
};

/// `Turned` places on in the ring, holding the first `Filled` of the items.
template <int Turned, int Filled>
struct ring {
  using queue = eddy::detail::steal_queue<memory, item, 4>;
  queue ready;
  item items[10];
  int pushed = 0;  // by the owner

  ring() {
    item other;
    for (int i = 0; i < Turned; ++i) {
      ready.push(other);
      ready.take();
    }
    for (int i = 0; i < Filled; ++i) push();
  }
  bool push() {
    if (!ready.push(items[pushed])) return false;
    ++pushed;
    return true;
  }
  bool got(item* one) {
    if (one == nullptr) return false;
    require(++one->times_taken == 1, "taken twice");
    return true;
  }
  bool take() { return got(ready.take()); }
  bool pop() { return got(ready.pop_newest()); }
};

constexpr auto take_one = [](auto& s) { s.take(); };
constexpr auto take_two = [](auto& s) {
  s.take();
  s.take();
};
/// What is left is there, and the ring is as good as new.
constexpr auto all_are_there = [](auto& s) {
  while (s.take()) {
  }
  for (int i = 0; i < s.pushed; ++i) require(s.items[i].times_taken == 1, "lost");
  require(s.ready.size() == 0, "empty");
  for (int i = 0; i < 4; ++i) require(s.ready.push(s.items[i]), "room for four");
  require(!s.ready.push(s.items[4]), "but not for five");
  require(s.ready.take() == &s.items[0], "the oldest");
  require(s.ready.pop_newest() == &s.items[3], "the newest");
};

TEST_CASE("steal_queue: the last item is the owner's or a thief's") {
  const auto pop = [](auto& s) {
    s.pop();
    require(!s.pop(), "there was one");
  };
  holds<ring<3, 1>>({pop, take_one}, all_are_there, all);
  holds<ring<3, 1>>({pop, take_two}, all_are_there, few);
  holds<ring<3, 1>>({pop, take_one, take_one}, all_are_there, few);
  holds<ring<3, 1>>({take_one, take_one, take_one}, all_are_there, few);
}

TEST_CASE("steal_queue: owner and thieves meet in the middle") {
  const auto pop = [](auto& s) {
    s.pop();
    s.pop();
  };
  holds<ring<0, 2>>({pop, take_one}, all_are_there, few);
  holds<ring<3, 2>>({pop, take_two}, all_are_there, few);
  holds<ring<2, 3>>({pop, take_two}, all_are_there, few);
  holds<ring<3, 2>>({pop, take_one, take_one}, all_are_there, fewer);
  holds<ring<2, 3>>({pop, take_two, take_one}, all_are_there, fewer);
}

TEST_CASE("steal_queue: what is taken back and pushed again is a new item in the same place") {
  const auto turn = [](auto& s) {
    s.pop();
    s.push();
    s.pop();
    s.push();
  };
  holds<ring<0, 1>>({turn, take_one}, all_are_there, few);
  holds<ring<3, 1>>({turn, take_two}, all_are_there, few);
  holds<ring<3, 2>>({turn, take_one, take_one}, all_are_there, fewer);
}

TEST_CASE("steal_queue: a full ring refuses, and takes as many as have been taken") {
  const auto push = [](auto& s) {
    int refused = 0;
    for (int i = 0; i < 3; ++i) refused += s.push() ? 0 : 1;
    require(refused >= 1, "no room for three");
  };
  holds<ring<0, 4>>({push, take_one}, all_are_there, all);
  holds<ring<2, 4>>({push, take_two}, all_are_there, few);
  holds<ring<3, 4>>({push, take_one, take_one}, all_are_there, fewer);
}

TEST_CASE(
    "steal_queue: an owner that is refused takes its oldest itself, and goes on round the ring") {
  const auto push_five = [](auto& s) {
    for (int i = 0; i < 5;) s.push() ? ++i : s.take();
    s.pop();
  };
  const auto take_all = [](auto& s) {
    for (int i = 0; i < 4; ++i) s.take();
  };
  holds<ring<3, 4>>({push_five, take_one}, all_are_there, few);
  holds<ring<3, 4>>({push_five, take_all}, all_are_there, fewer);
  holds<ring<1, 3>>({push_five, take_two, take_two}, all_are_there, fewer);
}

// ---- idle_workers, with the ring they look into

/// Workers that take from one ring and sleep when it is empty: task_pool's use of the two, without loops. With
/// `AtOnce` every item takes until all have been begun: each wants a worker of its own.
template <std::uint32_t Workers, int Items, bool AtOnce>
struct crew {
  eddy::detail::idle_workers<memory> idle{Workers};
  eddy::detail::steal_queue<memory, item, 4> ready;
  item items[4];
  model::atomic<std::uint32_t> taken{0};
  signal over;
  std::array<signal, Workers> called;

  void call(std::uint32_t who) { called[who].set(); }
  void announce() {
    if (!idle.wants_one()) return;
    if (const auto who = idle.call(); who != idle.nobody) call(who);
  }
  /// The owner of the ring.
  void push_all() {
    for (int i = 0; i < Items; ++i) {
      require(ready.push(items[i]), "room");
      announce();
    }
  }
  void run(item& one) {
    require(++one.times_taken == 1, "taken twice");
    if (taken.fetch_add(1, order) + 1 == Items) {
      over.set();
      for (std::uint32_t i = 0; i < Workers; ++i) call(i);  // to end
    } else if (AtOnce) {
      over.wait();
    }
  }
  void work(std::uint32_t who) {
    bool searching = false;
    while (!over.is_set()) {
      if (!searching) searching = idle.begin_search();
      if (searching) {
        if (item* const one = ready.take(); one != nullptr) {
          searching = false;
          if (idle.found()) announce();
          run(*one);
          continue;
        }
      }
      const bool may_search = searching;
      const int before = model::checker::current()->steps_of_others();
      called[who].clear();
      idle.lie_down(who, searching);
      const bool needed = ready.size() != 0 || over.is_set();
      if (!needed) called[who].wait();
      searching = idle.get_up(who);
      // Others search, and there is work: nothing changes before they have gone on.
      if (needed && !may_search && !searching &&
          model::checker::current()->steps_of_others() == before)
        model::checker::current()->pause();
    }
  }
};
template <std::uint32_t Who>
constexpr auto worker = [](auto& s) { s.work(Who); };
constexpr auto push_all = [](auto& s) { s.push_all(); };
constexpr auto all_are_done = [](auto& s) { require(s.ready.size() == 0, "all were taken"); };

TEST_CASE("idle_workers: a worker that lies down and a push see each other") {
  holds<crew<1, 1, false>>({worker<0>, push_all}, all_are_done, few);
  holds<crew<1, 3, false>>({worker<0>, push_all}, all_are_done, few);
}

TEST_CASE("idle_workers: of two workers one takes what is pushed") {
  holds<crew<2, 1, false>>({worker<0>, worker<1>, push_all}, all_are_done, fewer);
  holds<crew<2, 2, false>>({worker<0>, worker<1>, push_all}, all_are_done, fewer);
}

TEST_CASE("idle_workers: nobody sleeps while there is work for two") {
  holds<crew<2, 2, true>>({worker<0>, worker<1>, push_all}, all_are_done, fewer);
  // The first item is its owner's, who is busy with it.
  holds<crew<2, 2, true>>({worker<0>,
                           [](auto& s) {
                             s.push_all();
                             if (item* const one = s.ready.pop_newest(); one != nullptr)
                               s.run(*one);
                             s.work(1);
                           }},
                          all_are_done, few);
}

// ---- the inbox

/// A task of one loop as task.cpp drives its remote word (`foreign`, `take_remote`), and that loop's inbox and
/// sleep (`kick`, `asleep_`). The stack is the library's; the word and the sleep are rewritten here.
struct mailbox {
  struct letter {
    static constexpr int queued = 1, wake = 2, unit = 4;
    model::atomic<int> remote{0};
    letter* inbox_next = nullptr;
    int refs = 1;  // the wakers'; the owner's own part of the count
    int wanted = 0;
    int wakes = 0;
    int times_freed = 0;
  };
  eddy::detail::basic_inbox<memory, letter> inbox;
  model::atomic<std::uint32_t> asleep{0};
  signal wake_up;
  model::atomic<int> events{0};
  letter letters[2];
  int live = 1;

  void foreign(letter& t, int bits, int minus) {
    int before = t.remote.load(order);
    while (!t.remote.compare_exchange_weak(before, (before - minus) | bits | letter::queued, order,
                                           order)) {
    }
    require(t.times_freed == 0, "touched after it was freed");
    if ((before & letter::queued) != 0) return;
    inbox.push(t);
    if (asleep.exchange(0, order) != 0) wake_up.set();
  }
  void free_if_last(letter& t, int remote) {
    if ((remote & letter::queued) != 0 || t.refs + (remote >> 2) != 0) return;
    ++t.times_freed;
    --live;
  }
  void drain() {
    for (letter* t = inbox.take_all(); t != nullptr;) {
      letter* const next = t->inbox_next;
      const int asked = t->remote.exchange(0, order);
      require((asked & letter::queued) != 0, "it was queued");
      t->refs += asked >> 2;
      if ((asked & letter::wake) != 0) t->wakes = 1;
      free_if_last(*t, t->remote.load(order));
      t = next;
    }
  }
  /// Until all tasks are freed.
  void loop() {
    while (live != 0) {
      wake_up.clear();
      asleep.store(1, order);
      if (!inbox.is_filled()) wake_up.wait();
      asleep.store(0, order);
      drain();
    }
  }
};
/// One task, two wakers of it.
struct one_task : mailbox {
  one_task() { letters[0].refs = 2; }
};
/// Two tasks, one waker each.
struct two_tasks : mailbox {
  two_tasks() { live = 2; }
};

template <int Which>
constexpr auto wake_and_release =
    [](mailbox& m) { m.foreign(m.letters[Which], mailbox::letter::wake, mailbox::letter::unit); };
constexpr auto wake_then_go = [](mailbox& m) {
  m.foreign(m.letters[0], mailbox::letter::wake, 0);
  m.foreign(m.letters[0], 0, mailbox::letter::unit);
};
constexpr auto loop = [](mailbox& m) { m.loop(); };
constexpr auto first_was_woken = [](mailbox& m) {
  require(m.letters[0].times_freed == 1, "freed once");
  require(m.letters[0].wakes == 1, "woken");
};

TEST_CASE("inbox: what is pushed while the loop lies down wakes it") {
  holds<mailbox>({loop, wake_and_release<0>}, first_was_woken, few);
  holds<mailbox>({loop, wake_then_go}, first_was_woken, few);
}

TEST_CASE("inbox: two threads wake one task, which is in it once") {
  holds<one_task>({loop, wake_and_release<0>, wake_and_release<0>}, first_was_woken, fewer);
  holds<one_task>({loop, wake_then_go, wake_and_release<0>}, first_was_woken, fewer);
}

TEST_CASE("inbox: two threads push at once, and nothing is lost") {
  holds<two_tasks>(
      {loop, wake_and_release<0>, wake_and_release<1>},
      [](mailbox& m) {
        first_was_woken(m);
        require(m.letters[1].wakes == 1, "woken, too");
      },
      fewer);
}

TEST_CASE("inbox: who came first is first") {
  eddy::detail::basic_inbox<eddy::detail::shared_memory, item> inbox;
  item items[3];
  for (auto& each : items) inbox.push(each);
  item* first = inbox.take_all();
  CHECK(first == &items[0]);
  CHECK(first->inbox_next == &items[1]);
  CHECK(first->inbox_next->inbox_next == &items[2]);
  CHECK(items[2].inbox_next == nullptr);
  CHECK(inbox.take_all() == nullptr);
}

}  // namespace
