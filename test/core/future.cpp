#include <eddy/core/future.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <eddy/core/pin.hpp>
#include <eddy/task/yield.hpp>

#include "support/leak_check.hpp"
#include "support/leaves.hpp"
#include "support/mock_task.hpp"
#include "support/trace.hpp"

namespace {

using eddy::future;
using test::note;
using test::say;

/// Runs to the end, polling only when woken; the outcome.
template <class T>
eddy::result<T> finish(future<T> f, int* polls = nullptr) {
  test::mock_task task;
  auto p = eddy::pin(std::move(f));
  for (int n = 1;; ++n) {
    auto r = task.poll(p);
    if (polls != nullptr) *polls = n;
    if (r) return r.take();
    REQUIRE_MESSAGE(task.take_wakes() != 0, "it waits for nothing");
  }
}

/// Drops `make()` after 0, 1, 2 … polls; returns how many polls it takes to end.
template <class Make>
int drop_everywhere(Make make) {
  for (int cut = 0;; ++cut) {
    CAPTURE(cut);
    const test::leak_check leaks;
    const auto notes = note::live();
    bool ended = false;
    {
      test::mock_task task;
      auto p = eddy::pin(make());
      for (int i = 0; i < cut && !ended; ++i) ended = task.poll(p).is_ready();
    }
    REQUIRE(note::live() == notes);
    if (ended) return cut;
  }
}

// ---- laziness and ownership

future<int> said(std::string word, int v) {
  say(word);
  co_return v;
}

TEST_CASE("nothing runs before the await, and all of it runs then") {
  const test::leak_check leaks;
  test::take_trace();
  auto f = said("ran", 4);
  CHECK(f.valid());
  CHECK(test::trace().empty());
  auto r = finish(std::move(f));
  CHECK_FALSE(f.valid());
  CHECK(test::take_trace() == "ran ");
  CHECK(*r == 4);
}

future<> with_parameters(note, std::unique_ptr<int>, std::string) { co_return; }

TEST_CASE("a future that never starts takes its parameters with it") {
  const test::leak_check leaks;
  const auto before = note::live();
  test::take_trace();
  {
    auto f = with_parameters(note("p"), std::make_unique<int>(1), std::string(100, 'x'));
    CHECK(f.valid());
  }
  CHECK(test::take_trace() == "~p ");
  CHECK(note::live() == before);
}

TEST_CASE("moves: the source is empty, an assigned-over future goes") {
  static_assert(!std::is_copy_constructible_v<future<int>>);
  static_assert(!std::is_copy_assignable_v<future<int>>);
  static_assert(std::is_nothrow_move_constructible_v<future<int>>);
  static_assert(std::is_nothrow_default_constructible_v<future<int>>);
  const test::leak_check leaks;
  test::take_trace();
  {
    auto a = with_parameters(note("a"), nullptr, "");
    auto b = std::move(a);
    CHECK_FALSE(a.valid());
    CHECK(b.valid());
    b = with_parameters(note("b"), nullptr, "");
    CHECK(test::take_trace() == "~a ");
    future<>& same = b;
    b = std::move(same);
    CHECK(b.valid());
    a = std::move(b);
    CHECK(a.valid());
    b = future<>();
    CHECK_FALSE(b.valid());
    CHECK(test::trace().empty());
  }
  CHECK(test::take_trace() == "~b ");
}

// ---- results

future<int> await_int(int turns) {
  const int v = co_await said("x", 20);
  co_await test::pass(turns);
  co_return v + 1;
}

TEST_CASE("ready at once, and ready later: one poll a wake") {
  const test::leak_check leaks;
  int polls = 0;
  CHECK(*finish(await_int(0), &polls) == 21);
  CHECK(polls == 1);
  CHECK(*finish(await_int(3), &polls) == 21);
  CHECK(polls == 4);
}

int global = 0;
future<int&> a_reference() { co_return global; }
future<const std::string&> a_const_reference(const std::string& s) { co_return s; }
future<std::unique_ptr<int>> move_only(int v) { co_return std::make_unique<int>(v); }
future<std::string> braces() { co_return {"xyz...", 3}; }
future<int&&> rvalue(int& n) { co_return std::move(n); }
future<> use_results() {
  int& r = co_await a_reference();
  CHECK(&r == &global);
  const std::string text = "abc";
  const std::string& c = co_await a_const_reference(text);
  CHECK(&c == &text);
  auto p = co_await move_only(9);
  CHECK(*p == 9);
  const auto s = co_await braces();
  CHECK(s.size() == 3);
  int&& moved = co_await rvalue(global);
  CHECK(&moved == &global);
}

TEST_CASE("references are the same object, move-only values come out, co_return {...} works") {
  const test::leak_check leaks;
  CHECK(finish(use_results()).has_value());
}

/// Counts its objects; not assignable, and without a default constructor.
class odd {
 public:
  explicit odd(int v) noexcept : value(v) { ++live; }
  odd(odd&& o) noexcept : value(o.value) { ++live; }
  odd& operator=(odd&&) = delete;
  ~odd() { --live; }
  const int value;
  static inline int live = 0;
};
future<odd> make_odd(int v) { co_return odd(v); }
future<int> use_odd(int turns) {
  auto o = co_await make_odd(5);
  co_await test::pass(turns);
  co_return o.value;
}
future<int> use_odd_leaf() {
  auto o = co_await test::after<odd>(1, odd(6));
  co_return o.value;
}
future<int> use_odd_pinned() {
  auto p = eddy::pin(make_odd(7));
  auto o = co_await p;
  co_return o.value;
}

TEST_CASE("a result needs neither assignment nor a default constructor") {
  const test::leak_check leaks;
  CHECK(*finish(use_odd(1)) == 5);
  CHECK(*finish(use_odd_leaf()) == 6);
  CHECK(*finish(use_odd_pinned()) == 7);
  CHECK(odd::live == 0);
}

future<eddy::result<int>> fails() { co_return eddy::error(eddy::errc::closed, "here"); }
future<eddy::errc> see_result() {
  auto r = co_await fails();
  CHECK_FALSE(r.has_value());
  co_return eddy::errc::closed;
}

TEST_CASE("a future of a result hands the result over, it does not open it") {
  const test::leak_check leaks;
  CHECK(finish(see_result()).has_value());
}

struct alignas(64) wide {
  char bytes[64] = {};
};
bool is_aligned(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 64 == 0; }
future<bool> wide_local(wide parameter, int turns) {
  wide local;
  co_await test::pass(turns);
  co_return is_aligned(&local) && is_aligned(&parameter);
}

TEST_CASE("over-aligned locals and parameters are aligned in the frame") {
  const test::leak_check leaks;
  CHECK(*finish(wide_local(wide(), 0)));
  CHECK(*finish(wide_local(wide(), 1)));
}

// ---- order

future<int> inner(note, int turns) {
  note local("local");
  co_await test::pass(turns);
  say("body");
  co_return 1;
}
future<int> outer(note, int turns) {
  note first("first");
  {
    note scope("scope");
    const int v = co_await inner(note("arg"), turns);
    say("after");
    static_cast<void>(v);
  }
  co_return 2;
}

TEST_CASE("a callee is gone, locals before parameters, before its caller goes on") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) {
    CAPTURE(turns);
    test::take_trace();
    CHECK(*finish(outer(note("top"), turns)) == 2);
    CHECK(test::take_trace() == "body ~local ~arg after ~scope ~first ~top ");
  }
}

TEST_CASE("dropped while it waits: innermost first") {
  const test::leak_check leaks;
  test::take_trace();
  {
    test::mock_task task;
    auto p = eddy::pin(outer(note("top"), 1));
    CHECK_FALSE(task.poll(p).is_ready());
    CHECK(test::trace().empty());
  }
  CHECK(test::take_trace() == "~local ~arg ~scope ~first ~top ");
}

future<int> nested(int depth) {
  note a("a");
  co_await test::pass(1);
  note b("b");
  int sum = 0;
  if (depth > 0) {
    for (int i = 0; i < 2; ++i) {
      auto child = nested(depth - 1);
      note c("c");
      const int v = co_await std::move(child);
      sum += v;
    }
  }
  co_await test::pass(2);
  co_return sum + 1;
}

TEST_CASE("dropped at every cut point: nothing is left") {
  test::take_trace();
  const int polls = drop_everywhere([] { return nested(3); });
  CHECK(polls == 15 * 3 + 1);
  test::take_trace();
}

future<> drop_unstarted(test::gate& g) {
  auto unused = nested(2);
  auto pinned = eddy::pin(nested(2));
  auto wait = g.wait();
  co_await wait;
  co_await pinned;
  co_await std::move(unused);
}

TEST_CASE("futures that a dropped coroutine holds go with it, started or not") {
  test::take_trace();
  test::gate g;
  g.open();
  CHECK(drop_everywhere([&] { return drop_unstarted(g); }) > 10);
  test::take_trace();
}

TEST_CASE("a coroutine that waits is polled by its leaf alone") {
  const test::leak_check leaks;
  test::gate g;
  test::mock_task task;
  {
    auto p = eddy::pin([](test::gate& on) -> future<> { co_await on.wait(); }(g));
    CHECK_FALSE(task.poll(p).is_ready());
    CHECK(g.waiting() == 1);
    CHECK(task.take_wakes() == 0);
    g.wake();
    CHECK(task.take_wakes() == 1);
    CHECK_FALSE(task.poll(p).is_ready());
    CHECK(g.polls() == 2);
  }
  CHECK(g.waiting() == 0);
}

// ---- leaves

class failing {
 public:
  explicit failing(int turns) noexcept : turns_(turns) {}
  eddy::polled<eddy::result<int>> poll(eddy::context& cx) noexcept {
    if (turns_-- == 0) return eddy::error(eddy::errc::closed, "leaf");
    cx.wake();
    return eddy::pending;
  }

 private:
  int turns_;
};
class refers {
 public:
  static eddy::polled<int&> poll(eddy::context&) noexcept { return global; }
};
class succeeds {
 public:
  static eddy::polled<eddy::result<void>> poll(eddy::context&) noexcept {
    return eddy::result<void>();
  }
};
future<> use_leaves() {
  auto named = test::after<std::unique_ptr<int>>(2, std::make_unique<int>(8));
  const auto p = co_await named;
  CHECK(*p == 8);
  int& r = co_await refers();
  CHECK(&r == &global);
  co_await succeeds();
}

TEST_CASE("leaves are awaited by value and by name; results are opened") {
  const test::leak_check leaks;
  CHECK(finish(use_leaves()).has_value());
}

#if EDDY_EXCEPTIONS

// ---- exceptions

future<int> throws(int turns) {
  note n("thrower");
  co_await test::pass(turns);
  throw std::runtime_error("deep down");
}
future<int> levels(int n, int turns) {
  if (n == 0) {
    const int v = co_await throws(turns);
    co_return v;
  }
  const int v = co_await levels(n - 1, turns);
  co_return v;
}

TEST_CASE("an exception goes up through every level, as it was thrown") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) {
    auto r = finish(levels(1000, turns));
    REQUIRE_FALSE(r.has_value());
    CHECK_THROWS_WITH_AS(r.value(), "deep down", std::runtime_error);
  }
  test::take_trace();
}

future<int> catches(int turns) {
  for (int i = 0; i < 3; ++i) {
    try {
      note in_try("try");
      const int v = co_await throws(turns);
      co_return v;
    } catch (const std::runtime_error&) {
      say("caught");
    }
  }
  const int v = co_await said("then", 6);
  co_return v;
}

TEST_CASE("a caught exception leaves no trace; the coroutine goes on") {
  const test::leak_check leaks;
  for (int turns = 0; turns < 2; ++turns) {
    test::take_trace();
    CHECK(*finish(catches(turns)) == 6);
    CHECK(test::take_trace() ==
          "~thrower ~try caught ~thrower ~try caught ~thrower ~try caught then ");
  }
  CHECK(drop_everywhere([] { return catches(1); }) == 4);
  test::take_trace();
}

future<int> await_failing(int turns) {
  try {
    co_await failing(turns);
  } catch (const eddy::failure& e) {
    CHECK(e.code() == eddy::errc::closed);
    CHECK(std::string(e.what()).find("leaf") != std::string::npos);
    co_return 1;
  }
  co_return 0;
}

TEST_CASE("a failing leaf makes the await throw, at once and later") {
  const test::leak_check leaks;
  CHECK(*finish(await_failing(0)) == 1);
  CHECK(*finish(await_failing(2)) == 1);
}

class own_error_leaf {
 public:
  static eddy::polled<eddy::result<int, std::string>> poll(eddy::context&) noexcept {
    return eddy::unexpected(std::string("own"));
  }
};
future<std::string> await_own_error() {
  std::string caught;
  try {
    co_await own_error_leaf();
  } catch (const std::string& s) {
    caught = s;
  }
  co_return caught;
}

TEST_CASE("an error of a leaf's own type is thrown as it is") {
  CHECK(*finish(await_own_error()) == "own");
}

class throwing_destructor {
 public:
  throwing_destructor() = default;
  throwing_destructor(const throwing_destructor&) = delete;
  ~throwing_destructor() noexcept(false) { throw std::runtime_error("destructor"); }
};
future<note> value_then_throw() {
  throwing_destructor t;
  co_return note("value");
}

TEST_CASE("a local's destructor throws after co_return: the value goes, the exception comes out") {
  const test::leak_check leaks;
  const auto before = note::live();
  test::take_trace();
  {
    auto r = finish(value_then_throw());
    REQUIRE_FALSE(r.has_value());
    CHECK_THROWS_WITH(r.value(), "destructor");
  }
  CHECK(test::take_trace() == "~value ");
  CHECK(note::live() == before);
}

/// Its `fuse`-th move throws; counts objects.
class moody {
 public:
  explicit moody(int fuse) : fuse_(fuse) { ++live; }
  moody(moody&& o) : fuse_(o.fuse_) {
    if (fuse_ == 0) throw std::runtime_error("moved");
    --fuse_;
    ++live;
  }
  ~moody() { --live; }
  static inline int live = 0;

 private:
  int fuse_;
};
future<moody> make_moody(int fuse) { co_return moody(fuse); }
future<bool> use_moody(int fuse) {
  try {
    auto m = co_await make_moody(fuse);
    co_return true;
  } catch (const std::runtime_error&) {
    co_return false;
  }
}
future<bool> use_pinned_moody(int fuse) {
  auto p = eddy::pin(make_moody(fuse));
  try {
    auto m = co_await p;
    co_return true;
  } catch (const std::runtime_error&) {
    co_return false;
  }
}

TEST_CASE("a result whose move throws: the exception comes out of the await, wherever it was") {
  const test::leak_check leaks;
  int failed = 0;
  while (!*finish(use_moody(failed))) ++failed;
  CHECK(failed == 2);  // into the promise, out of the promise
  for (int fuse = 0; fuse < 8; ++fuse) {
    CAPTURE(fuse);
    CHECK(finish(use_pinned_moody(fuse)).has_value());
    CHECK(moody::live == 0);
  }
}

// ---- misuse

future<int> await_empty() {
  try {
    co_await future<int>();
  } catch (const std::logic_error& e) {
    CHECK(std::string(e.what()).starts_with("eddy: an empty future was awaited"));
    co_return 1;
  }
  co_return 0;
}
future<int> await_twice() {
  auto f = said("once", 1);
  co_await std::move(f);
  CHECK_FALSE(f.valid());
  try {
    co_await std::move(f);
  } catch (const std::logic_error&) {
    co_return 1;
  }
  co_return 0;
}

TEST_CASE("awaiting an empty, moved-from or awaited future is a logic_error that can be caught") {
  const test::leak_check leaks;
  test::take_trace();
  CHECK(*finish(await_empty()) == 1);
  CHECK(*finish(await_twice()) == 1);
  CHECK(test::take_trace() == "once ");
  CHECK_THROWS_AS(static_cast<void>(eddy::pin(future<int>())), std::logic_error);
}

#endif

// ---- lambdas

TEST_CASE("a coroutine made by a capturing lambda is known as such, others are not") {
  const test::leak_check leaks;
  using eddy::detail::future_access;
  using eddy::detail::promise_base;
  const auto is_capturing = [](auto f) {
    return future_access::promise(f).has(promise_base::capturing);
  };
  int n = 0;
  CHECK(is_capturing([n]() -> future<int> { co_return n; }()));
  CHECK(is_capturing([&n](int, std::string) -> future<> {
    ++n;
    co_return;
  }(1, "x")));
  CHECK(is_capturing([&n](auto v) mutable -> future<int> { co_return n + v; }(1)));
  CHECK_FALSE(is_capturing([]() -> future<int> { co_return 1; }()));
  CHECK_FALSE(is_capturing([](std::string) -> future<int> { co_return 1; }("x")));
  CHECK_FALSE(is_capturing(said("x", 1)));
}

template <class F>
class holder {
 public:
  explicit holder(F f) : f_(f) {}
  future<int> call() { co_return f_(); }

 private:
  F f_;
};

TEST_CASE("a member coroutine of a class around a lambda is not a lambda's coroutine") {
  const test::leak_check leaks;
  using eddy::detail::future_access;
  int n = 3;
  holder h([n] { return n; });
  auto f = h.call();
  CHECK_FALSE(future_access::promise(f).has(eddy::detail::promise_base::capturing));
  CHECK(*finish(std::move(f)) == 3);

  const auto in_lambda = [](int v) {
    struct local {
      int value;
      future<int> call() const { co_return value; }
    };
    const local l{v};
    auto g = l.call();
    const bool flagged = future_access::promise(g).has(eddy::detail::promise_base::capturing);
    CHECK(*finish(std::move(g)) == v);
    return flagged;
  };
  CHECK_FALSE(in_lambda(4));
}

}  // namespace
