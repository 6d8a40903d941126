#include <eddy/base/function.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

using eddy::function;

namespace {

int twice(int n) { return 2 * n; }

struct tracked {
  static inline int alive = 0;
  tracked() noexcept { ++alive; }
  tracked(const tracked&) noexcept { ++alive; }
  tracked(tracked&&) noexcept { ++alive; }
  ~tracked() { --alive; }
};

static_assert(sizeof(function<void()>) == 24);
static_assert(std::is_nothrow_move_constructible_v<function<void()>>);
static_assert(std::is_nothrow_move_assignable_v<function<void()>>);
static_assert(!std::is_copy_constructible_v<function<void()>>);
static_assert(!std::is_constructible_v<function<void(int)>, void (*)()>);
static_assert(!std::is_constructible_v<function<int()>, void (*)()>);

}  // namespace

TEST_CASE("function: empty") {
  function<void()> f;
  CHECK(!f);
  function<void()> null = nullptr;
  CHECK(!null);
  int (*none)(int) = nullptr;
  function<int(int)> from_null = none;
  CHECK(!from_null);
  function<void()> moved = std::move(f);
  CHECK(!moved);
  function<long(int)> wrapped = std::move(from_null);
  CHECK(!wrapped);
}

TEST_CASE("function: calls pointers, lambdas and callables that convert") {
  function<int(int)> f = twice;
  CHECK(f);
  CHECK(f(4) == 8);
  int calls = 0;
  function<void()> count = [&calls] { return ++calls; };  // the value is dropped
  count();
  count();
  CHECK(calls == 2);
  function<int()> counter = [n = 0]() mutable { return ++n; };
  CHECK(counter() == 1);
  CHECK(counter() == 2);
  function<long(int)> wider = std::move(f);
  CHECK(wider(3) == 6);
}

TEST_CASE("function: arguments and values pass as they are") {
  function<std::unique_ptr<int>(std::unique_ptr<int>)> pass = [](std::unique_ptr<int> p) {
    return p;
  };
  CHECK(*pass(std::make_unique<int>(7)) == 7);
  int n = 1;
  function<int&(int&)> same = [](int& x) -> int& { return x; };
  CHECK(&same(n) == &n);
}

TEST_CASE("function: what it holds is moved, replaced and destroyed once") {
  const auto check = [](auto held) {
    {
      function<int()> a = std::move(held);
      function<int()> b = std::move(a);
      CHECK(!a);
      CHECK(b() == 5);
      function<int()> c = [] { return 6; };
      c = std::move(b);
      CHECK(!b);
      CHECK(c() == 5);
      function<int()>& same = c;
      c = std::move(same);
      CHECK(c() == 5);
      c = nullptr;
      CHECK(!c);
    }
    static_cast<void>(held);
  };
  check([t = tracked(), n = 5] {
    static_cast<void>(t);
    return n;
  });
  CHECK(tracked::alive == 0);
  check([t = tracked(), big = std::array<int, 16>{5}] {
    static_cast<void>(t);
    return big[0];
  });
  CHECK(tracked::alive == 0);
}

TEST_CASE("function: holds what cannot be copied, in place or not") {
  function<int()> small = [p = std::make_unique<int>(3)] { return *p; };
  function<int()> large = [p = std::make_unique<int>(4), pad = std::array<char, 64>{}] {
    return *p + pad[0];
  };
  std::swap(small, large);
  CHECK(small() == 4);
  CHECK(large() == 3);
}

TEST_CASE("function: a small callable stays in the function, whatever its alignment needs is met") {
  struct here {
    const void* operator()() const { return this; }
    void* a = nullptr;
    void* b = nullptr;
  };
  function<const void*()> f = here{};
  const auto inside = [&](const void* at) {
    return at >= static_cast<const void*>(&f) && at < static_cast<const void*>(&f + 1);
  };
  CHECK(inside(f()));

  struct alignas(64) wide {
    bool operator()() const { return reinterpret_cast<std::uintptr_t>(this) % 64 == 0; }
  };
  function<bool()> g = wide{};
  CHECK(g());
}

TEST_CASE("function: may be emptied from inside what it destroys") {
  struct owner {
    function<void()> hook;
  };
  auto shared = std::make_shared<owner>();
  shared->hook = [shared] {};
  CHECK(shared.use_count() == 2);
  shared->hook = nullptr;
  CHECK(shared.use_count() == 1);
}
