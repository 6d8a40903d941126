// The lock-free parts of base, core and sync, in all orders. Each scenario was seen to fail with faults planted
// in the code it drives.

#include "model/checker.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>

#include <eddy/base/detail/lock.hpp>
#include <eddy/core/detail/cell.hpp>
#include <eddy/sync/atomic_waker.hpp>
#include <eddy/sync/detail/notify_core.hpp>
#include <eddy/sync/detail/semaphore_core.hpp>

namespace {

using eddy::context;
using model::memory;
using model::require;
using model::task;

constexpr auto order = std::memory_order_seq_cst;
/// For scenarios that are too long to be run in all orders.
constexpr model::options few{.most_preemptions = 3};
constexpr model::options fewer{.most_preemptions = 2};

template <class State>
void holds(std::vector<std::function<void(State&)>> threads, std::function<void(State&)> at_end,
           model::options o = {}) {
  const auto r = model::explore<State>(std::move(threads), std::move(at_end), o);
  CHECK(r.failure == "");
  CHECK(r.runs > 10);
}

// ---- basic_lock

struct locked_count {
  eddy::detail::basic_lock<memory> lock;
  model::atomic<std::uint32_t> inside{0};
  std::uint32_t count = 0;

  void enter() {
    const eddy::detail::locked held(lock);
    require(inside.exchange(1, order) == 0, "two are inside");
    ++count;
    inside.store(0, order);
  }
};

TEST_CASE("lock: one is inside at a time, and no sleeper is forgotten") {
  const auto once = [](locked_count& s) { s.enter(); };
  const auto twice = [](locked_count& s) {
    s.enter();
    s.enter();
  };
  holds<locked_count>({once, once}, [](locked_count& s) { require(s.count == 2, "count"); });
  holds<locked_count>({twice, twice}, [](locked_count& s) { require(s.count == 4, "count"); }, few);
  holds<locked_count>(
      {once, once, once}, [](locked_count& s) { require(s.count == 3, "count"); }, few);
}

// ---- permits

struct few_permits {
  explicit few_permits(std::uint32_t n = 0) : permits(n) {}
  eddy::detail::basic_permits<memory> permits;
  task tasks[2];

  bool acquire(int who, std::uint32_t n) {
    eddy::detail::permit_slot<memory> slot(n);
    auto answer = eddy::detail::permit_answer::pending;
    tasks[who].wait_for([&](context& cx) {
      answer = permits.poll(slot, cx);
      return answer != eddy::detail::permit_answer::pending;
    });
    return answer == eddy::detail::permit_answer::taken;
  }
  /// One poll, then it gives up, and what it has got.
  void try_once(int who, std::uint32_t n) {
    eddy::detail::permit_slot<memory> slot(n);
    context cx(tasks[who]);
    if (permits.poll(slot, cx) == eddy::detail::permit_answer::taken)
      permits.give(n);
    else
      permits.leave(slot);
  }
};
struct no_permits : few_permits {};
struct one_permit : few_permits {
  one_permit() : few_permits(1) {}
};

TEST_CASE("permits: what is given reaches who waits") {
  holds<no_permits>({[](no_permits& s) { require(s.acquire(0, 1), "taken"); },
                     [](no_permits& s) { s.permits.give(1); }},
                    [](no_permits& s) { require(s.permits.available() == 0, "none left"); });
  holds<no_permits>(
      {[](no_permits& s) { require(s.acquire(0, 2), "taken"); },
       [](no_permits& s) {
         s.permits.give(1);
         s.permits.give(1);
       }},
      [](no_permits& s) { require(s.permits.available() == 0, "none left"); }, few);
}

TEST_CASE("permits: one permit goes round, and is there in the end") {
  const auto take = [](int who) {
    return [who](one_permit& s) {
      require(s.acquire(who, 1), "taken");
      s.permits.give(1);
    };
  };
  holds<one_permit>(
      {take(0), take(1)}, [](one_permit& s) { require(s.permits.available() == 1, "one"); }, few);
}

TEST_CASE("permits: who gives up passes on what it got") {
  holds<no_permits>(
      {[](no_permits& s) { s.try_once(0, 1); },
       [](no_permits& s) { require(s.acquire(1, 1), "taken"); },
       [](no_permits& s) { s.permits.give(1); }},
      [](no_permits& s) { require(s.permits.available() == 0, "none left"); }, fewer);
  holds<no_permits>(
      {[](no_permits& s) { s.try_once(0, 2); }, [](no_permits& s) { s.permits.give(1); }},
      [](no_permits& s) { require(s.permits.available() == 1, "it is back"); }, few);
}

TEST_CASE("permits: close refuses who waits, and loses no permit") {
  holds<no_permits>({[](no_permits& s) { require(!s.acquire(0, 1), "refused"); },
                     [](no_permits& s) { s.permits.close(); }},
                    [](no_permits& s) { require(s.permits.is_closed(), "closed"); });
  holds<no_permits>(
      {[](no_permits& s) {
         if (s.acquire(0, 1)) s.permits.give(1);
       },
       [](no_permits& s) { s.permits.give(1); }, [](no_permits& s) { s.permits.close(); }},
      [](no_permits& s) { require(s.permits.available() == 1, "it is back"); }, fewer);
}

// ---- notify

struct telling {
  using core = eddy::detail::basic_notify<memory>;
  using waiter = eddy::detail::notify_waiter<memory>;
  core notify;
  task tasks[2];
  waiter early[2] = {waiter(0), waiter(0)};
  model::atomic<std::uint32_t> items{0};

  void hear(int who) {
    waiter node(notify.calls());
    hear(who, node);
  }
  void hear(int who, waiter& node) {
    tasks[who].wait_for([&](context& cx) { return notify.poll(node, cx); });
    notify.leave(node);
  }
  void hear_once(int who) {
    waiter node(notify.calls());
    context cx(tasks[who]);
    // Heard: what it stands for is for the next one here.
    if (notify.poll(node, cx)) notify.tell(core::phase::told_one);
    notify.leave(node);
  }
};
void tell_one(telling& s) { s.notify.tell(telling::core::phase::told_one); }
void tell_last(telling& s) { s.notify.tell(telling::core::phase::told_last); }
void tell_all(telling& s) { s.notify.tell_all(); }
void nothing_kept(telling& s) {
  telling::waiter node(s.notify.calls());
  require(!s.notify.enable(node), "one was kept");
  s.notify.leave(node);
}

TEST_CASE("notify: a notify_one reaches who waits, whoever comes first") {
  holds<telling>({[](telling& s) { s.hear(0); }, tell_one}, nothing_kept);
  holds<telling>(
      {[](telling& s) { s.hear(0, s.early[0]); }, [](telling& s) { s.hear(1, s.early[1]); },
       [](telling& s) {
         tell_one(s);
         tell_last(s);
         tell_all(s);  // two calls that nobody has heard yet are one
       }},
      [](telling&) {}, fewer);
}

TEST_CASE("notify: look at the state, else wait; change the state, then tell") {
  holds<telling>(
      {[](telling& s) {
         while (s.items.load(order) == 0) s.hear(0);
       },
       [](telling& s) {
         s.items.store(1, order);
         tell_one(s);
       }},
      [](telling&) {}, few);
}

TEST_CASE("notify: who was chosen and gives up passes it on") {
  holds<telling>({[](telling& s) { s.hear_once(0); }, [](telling& s) { s.hear(1); }, tell_one},
                 nothing_kept, fewer);
  holds<telling>(
      {[](telling& s) { s.hear_once(0); }, tell_one},
      [](telling& s) {
        telling::waiter node(s.notify.calls());
        require(s.notify.enable(node), "it is kept");
      },
      few);
}

TEST_CASE(
    "notify: notify_waiters reaches what was made before it, polled or not, and keeps nothing") {
  holds<telling>({[](telling& s) { s.hear(0, s.early[0]); }, tell_all}, nothing_kept);
  holds<telling>({[](telling& s) { s.hear(0, s.early[0]); },
                  [](telling& s) {
                    telling::waiter node(s.notify.calls());
                    context cx(s.tasks[1]);
                    static_cast<void>(s.notify.poll(node, cx));
                    s.notify.leave(node);
                  },
                  tell_all},
                 nothing_kept, fewer);
}

// ---- atomic_waker

struct flags {
  eddy::detail::basic_atomic_waker<memory> waker;
  task waiting;
  model::atomic<std::uint32_t> one{0}, two{0};
};

void still_works(flags& s) {
  s.waker.take();
  context cx(s.waiting);
  s.waker.store(cx);
  require(static_cast<bool>(s.waker.take()), "the slot is free");
}

TEST_CASE("atomic_waker: store, then look; change, then wake: no wake is lost") {
  const auto wake_one = [](flags& s) {
    s.one.store(1, order);
    s.waker.take().wake();
  };
  const auto wake_two = [](flags& s) {
    s.two.store(1, order);
    s.waker.take().wake();
  };
  holds<flags>({[](flags& s) {
                  s.waiting.wait_for([&](context& cx) {
                    s.waker.store(cx);
                    return s.one.load(order) == 1;
                  });
                },
                wake_one},
               still_works);
  holds<flags>({[](flags& s) {
                  s.waiting.wait_for([&](context& cx) {
                    s.waker.store(cx);
                    return s.one.load(order) + s.two.load(order) == 2;
                  });
                },
                wake_one, wake_two},
               still_works, few);
}

// ---- the cell of promise and oneshot

struct test_cell : eddy::detail::basic_cell_base<memory> {};
struct ends {
  task first, second, sender;
  std::optional<test_cell> cell{std::in_place};
  bool accepted = false, was_filled = false;
};

TEST_CASE("cell: the outcome wakes the receiver, also one that changes its task") {
  holds<ends>({[](ends& s) {
                 context cx(s.first);
                 if (!s.cell->poll(cx))
                   s.second.wait_for([&](context& other) { return s.cell->poll(other); });
                 require(s.cell->is_filled(), "filled");
               },
               [](ends& s) { require(s.cell->publish(), "accepted"); }},
              [](ends& s) { s.cell.reset(); });
}

TEST_CASE("cell: sender and receiver agree whether the outcome came in time") {
  holds<ends>({[](ends& s) {
                 context cx(s.first);
                 static_cast<void>(s.cell->poll(cx));
                 s.was_filled = s.cell->abandon();
               },
               [](ends& s) { s.accepted = s.cell->publish(); }},
              [](ends& s) {
                require(s.accepted == s.was_filled, "they agree");
                s.cell.reset();
              });
}

TEST_CASE("cell: a sender that waits for its receiver to go hears of it") {
  holds<ends>({[](ends& s) { s.cell->abandon(); },
               [](ends& s) {
                 s.sender.wait_for([&](context& cx) { return s.cell->poll_abandoned(cx); });
                 require(!s.cell->publish(), "refused");
               }},
              [](ends& s) { s.cell.reset(); });
}

}  // namespace
