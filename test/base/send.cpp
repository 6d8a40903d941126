#include <eddy/base/send.hpp>

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <eddy/base/rc.hpp>
#include <eddy/eddy.hpp>
#include <eddy/stream.hpp>

#include "support/leak_check.hpp"

namespace {

using eddy::future;
using eddy::is_send_v;
using eddy::make_rc;
using eddy::rc;
using eddy::weak_rc;

struct local {
  using not_send = void;
};
struct sent {};
struct unknown;
template <class T>
struct holds {};
template <class T>
struct names {};

}  // namespace

template <class T>
struct eddy::is_send<names<T>> : std::true_type {};

namespace {

// What says nothing is.
static_assert(is_send_v<int> && is_send_v<sent> && is_send_v<unknown> && is_send_v<void>);
static_assert(is_send_v<void (*)(local)> && is_send_v<std::string>);
// What says so is not, however it is referred to.
static_assert(!is_send_v<local> && !is_send_v<const local&> && !is_send_v<local&&>);
static_assert(!is_send_v<local*> && !is_send_v<local[]> && !is_send_v<const volatile local[3]>);
static_assert(!is_send_v<rc<int>> && !is_send_v<weak_rc<int>>);
// Pairs, tuples, containers and pointers are what they hold.
static_assert(!is_send_v<std::pair<int, local>> && !is_send_v<std::tuple<int, int, rc<int>>>);
static_assert(!is_send_v<std::optional<local>> && !is_send_v<std::variant<int, local>>);
static_assert(!is_send_v<std::vector<rc<int>>> && !is_send_v<std::map<int, std::vector<local>>>);
static_assert(!is_send_v<std::array<local, 2>> && !is_send_v<std::span<local>>);
static_assert(!is_send_v<std::shared_ptr<local>> && !is_send_v<std::reference_wrapper<local>>);
static_assert(is_send_v<std::map<int, std::vector<std::string>>> && is_send_v<std::array<int, 2>>);
// A user's template as well, unless it is specialised.
static_assert(!is_send_v<holds<local>> && is_send_v<names<local>>);
// eddy's own: channels and guards are what they carry.
static_assert(is_send_v<eddy::sync::mpsc::sender<int>> &&
              !is_send_v<eddy::sync::mpsc::sender<rc<int>>>);
static_assert(is_send_v<eddy::sync::mutex_guard<int>> &&
              !is_send_v<eddy::sync::mutex_guard<local>>);
static_assert(is_send_v<eddy::sync::owned_semaphore_permit> &&
              is_send_v<eddy::sync::rw_lock_read_guard<int>>);
static_assert(!is_send_v<eddy::sync::watch::ref<int>>);

template <class T>
bool may_move(const future<T>& f) {
  return eddy::detail::is_send_frame(eddy::detail::future_access::peek(f));
}

future<> with(auto) { co_return; }
future<> with_reference(const local&) { co_return; }
future<> with_nothing() { co_return; }
future<int> with_value(rc<int> p) { co_return *p; }
eddy::generator<int> yielding(rc<int> p) { co_yield *p; }

struct stays {
  using not_send = void;
  future<> member(int) { co_return; }
};
struct goes {
  future<> member(int) { co_return; }
};

TEST_CASE("a future knows whether its parameters let another thread run it") {
  constexpr bool unchecked = EDDY_POOL == 0;
  CHECK(may_move(with_nothing()));
  CHECK(may_move(with(1)));
  CHECK(may_move(with(std::vector<int>())));
  CHECK(may_move(with(make_rc<int>(1))) == unchecked);
  CHECK(may_move(with(std::optional<rc<int>>())) == unchecked);
  CHECK(may_move(with_reference(local())) == unchecked);
  goes g;
  stays s;
  CHECK(may_move(g.member(1)));
  CHECK(may_move(s.member(1)) == unchecked);
  const auto captureless = [](rc<int>) -> future<> { co_return; };
  CHECK(may_move(captureless(make_rc<int>(1))) == unchecked);
  int n = 1;
  const auto capturing = [&n](int m) -> future<int> { co_return n += m; };
  CHECK(may_move(capturing(1)));
}

TEST_CASE("a future that is given to a coroutine counts as its own parameters do") {
  constexpr bool unchecked = EDDY_POOL == 0;
  CHECK(may_move(with(with(1))));
  CHECK(may_move(with(with(make_rc<int>(1)))) == unchecked);
  CHECK(may_move(with(future<>())));
  CHECK(may_move(with_value(make_rc<int>(1)).then([](int) {})) == unchecked);
  CHECK(may_move(with(yielding(make_rc<int>(1)))) == unchecked);
}

#if EDDY_POOL && EDDY_EXCEPTIONS
TEST_CASE("what another thread would run is refused, not what this one will") {
  const test::leak_check leaks;
  eddy::runtime rt;
  const char* const refused =
      "eddy: spawn: a parameter of this coroutine is not is_send, and another thread may run the "
      "task: use spawn_local";
  CHECK_THROWS_WITH_AS(static_cast<void>(rt.spawn(with_value(make_rc<int>(1)).then([](int) {}))),
                       refused, std::logic_error);
  CHECK_THROWS_WITH_AS(static_cast<void>(rt.spawn([] { return with(make_rc<int>(2)); })), refused,
                       std::logic_error);
  rt.block_on([]() -> future<> {
    auto h = eddy::spawn(with(make_rc<int>(3)));
    co_await h;
  });
}
#endif

TEST_CASE("spawn_local takes anything, in a task and before one") {
  const test::leak_check leaks;
  eddy::runtime rt;
  auto shared = make_rc<int>(1);
  const auto add = [](rc<int> p, int n) -> future<rc<int>> {
    co_await eddy::yield_now();
    *p += n;
    co_return p;
  };
  auto early = rt.spawn_local(add, shared, 1);
  auto ready_made = rt.spawn_local(add(shared, 2));
  {
    const auto guard = rt.enter();
    auto detached = eddy::spawn_local(add(shared, 4));
  }
  rt.block_on([&]() -> future<> {
    auto with_arguments = eddy::spawn_local(add, shared, 8);
    auto callable = eddy::spawn_local([shared] { return with(shared); });
    auto named = eddy::task_builder().name("named").spawn_local(add(shared, 16));
    auto named_call = eddy::task_builder().name("named").spawn_local(add, shared, 32);
    co_await early;
    co_await ready_made;
    auto p = co_await with_arguments;
    co_await callable;
    co_await named;
    co_await named_call;
    CHECK(*p == 64);
  });
  CHECK(shared.use_count() == 1);
}

#if EDDY_EXCEPTIONS
TEST_CASE("spawn_local outside a runtime is misuse") {
  CHECK_THROWS_AS(static_cast<void>(eddy::spawn_local(with_nothing())), std::logic_error);
}
#endif

// ---- rc

struct base {
  virtual ~base() = default;
  int number = 7;
};
struct counted : base {
  explicit counted(int& n) : alive(&n) { ++n; }
  ~counted() override { --*alive; }
  int* alive;
};

TEST_CASE("an rc keeps its value until the last one goes") {
  int alive = 0;
  auto a = make_rc<counted>(alive);
  auto b = a;
  CHECK(a == b);
  CHECK(a.use_count() == 2);
  a.reset();
  CHECK(a == nullptr);
  CHECK(a.use_count() == 0);
  CHECK(alive == 1);
  auto c = std::move(b);
  CHECK_FALSE(b);
  CHECK(c->number == 7);
  c = rc<counted>();
  CHECK(alive == 0);
}

TEST_CASE("an rc of a base, and one of a part, keep the whole") {
  int alive = 0;
  auto whole = make_rc<counted>(alive);
  rc<base> as_base = whole;
  rc<int> part(std::move(whole), &as_base->number);
  CHECK(part.use_count() == 2);
  as_base.reset();
  CHECK(alive == 1);
  CHECK(*part == 7);
  part.reset();
  CHECK(alive == 0);
  const rc<int> of_nothing(rc<base>(), &alive);
  CHECK_FALSE(of_nothing);
}

TEST_CASE("a weak_rc gives its value only while somebody keeps it") {
  int alive = 0;
  weak_rc<counted> weak;
  CHECK(weak.expired());
  CHECK_FALSE(weak.lock());
  {
    auto strong = make_rc<counted>(alive);
    weak = strong;
    const auto copy = weak;
    CHECK(copy.lock() == strong);
    CHECK(strong.use_count() == 1);
  }
  CHECK(alive == 0);
  CHECK(weak.expired());
  CHECK_FALSE(weak.lock());
}

#if EDDY_EXCEPTIONS
struct throwing {
  throwing() { throw std::runtime_error("no"); }
};
TEST_CASE("a value whose constructor throws makes no rc") {
  CHECK_THROWS_AS(make_rc<throwing>(), std::runtime_error);
}
#endif

TEST_CASE("an rc goes where its loop is driven") {
  eddy::runtime rt;
  rc<int> held;
  rt.block_on([&]() -> future<> {
    held = make_rc<int>(1);
    co_return;
  });
  std::thread([&] {
    rt.block_on([&]() -> future<> {
      CHECK(held.use_count() == 1);
      held.reset();
      co_return;
    });
  }).join();
}

}  // namespace
