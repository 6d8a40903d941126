#include <eddy/base/result.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <version>
#ifdef __cpp_lib_expected
#include <expected>
#endif

#include <eddy/base/error.hpp>

using eddy::errc;
using eddy::error;
using eddy::result;
using eddy::unexpect;
using eddy::unexpected;

namespace {

// Counts its living instances.
struct counted {
  static inline int alive = 0;
  int number;
  explicit counted(int n) : number(n) { ++alive; }
  counted(const counted& other) : number(other.number) { ++alive; }
  counted(counted&& other) noexcept : number(std::exchange(other.number, -1)) { ++alive; }
  counted& operator=(const counted&) = default;
  counted& operator=(counted&& other) noexcept {
    number = std::exchange(other.number, -1);
    return *this;
  }
  ~counted() { --alive; }
};

struct point {
  int x;
  int y;
  int sum() const { return x + y; }
};

enum class code { bad = 1, worse };

// An error that knows how to throw itself.
struct loud {
  int number;
#if EDDY_EXCEPTIONS
  [[noreturn]] void raise() const { throw number; }
#endif
};

static_assert(eddy::is_result_v<result<int>>);
static_assert(eddy::is_result_v<result<void, code>>);
static_assert(!eddy::is_result_v<int>);
static_assert(!eddy::is_result_v<unexpected<int>>);

// As trivial as the parts.
static_assert(std::is_trivially_copyable_v<result<int, code>>);
static_assert(std::is_trivially_destructible_v<result<int&, code>>);
static_assert(std::is_trivially_copyable_v<result<void, code>>);
static_assert(!std::is_trivially_copyable_v<result<int, error>>);
static_assert(!std::is_trivially_destructible_v<result<std::string, code>>);
static_assert(std::is_trivially_destructible_v<result<int, code>>);
static_assert(sizeof(result<int, code>) == 12 || sizeof(result<int, code>) == 8);
static_assert(sizeof(result<void>) == 24);

// Move-only parts make a move-only result, parts that cannot move one that cannot either.
using move_only = result<std::unique_ptr<int>>;
static_assert(!std::is_copy_constructible_v<move_only>);
static_assert(!std::is_copy_assignable_v<move_only>);
static_assert(std::is_nothrow_move_constructible_v<move_only>);
static_assert(std::is_nothrow_move_assignable_v<move_only>);
static_assert(!std::is_copy_constructible_v<result<int, std::unique_ptr<int>>>);
struct fixed {
  fixed() = default;
  fixed(fixed&&) = delete;
};
static_assert(!std::is_move_constructible_v<result<fixed>>);
static_assert(!std::is_move_assignable_v<result<fixed>>);

static_assert(!std::is_default_constructible_v<result<int&>>);
static_assert(!std::is_default_constructible_v<result<counted>>);
static_assert(!std::is_constructible_v<result<int&>, int>);  // would dangle
static_assert(!std::is_constructible_v<result<int&>, const int&>);
static_assert(std::is_convertible_v<int&, result<int&>>);
static_assert(std::is_convertible_v<int&, result<const int&>>);
static_assert(!std::is_convertible_v<int, result<counted>>);
static_assert(std::is_constructible_v<result<counted>, int>);

// Part of it works at compile time.
constexpr result<int, code> half(int n) {
  if (n % 2) return unexpected(code::bad);
  return n / 2;
}
static_assert(*half(4) == 2);
static_assert(half(3).error() == code::bad);
static_assert(half(4).transform([](int n) { return n + 1; }).value() == 3);
static_assert(half(3).value_or(7) == 7);
static_assert(half(8).and_then(half) == 2);
static_assert(half(6).and_then(half) == unexpected(code::bad));

}  // namespace

TEST_CASE("result: holds a value") {
  result<int> r = 5;
  CHECK(r.has_value());
  CHECK(static_cast<bool>(r));
  CHECK(*r == 5);
  CHECK(r.value() == 5);
  *r = 6;
  CHECK(std::as_const(r).value() == 6);
  CHECK(*std::as_const(r) == 6);
  CHECK(*result<int>() == 0);
}

TEST_CASE("result: holds an error") {
  result<int> r = unexpected(errc::closed);
  CHECK(!r.has_value());
  CHECK(!r);
  CHECK(r.error() == errc::closed);
  CHECK(std::as_const(r).error() == errc::closed);
  CHECK(result<int, std::string>(unexpect, std::size_t{3}, 'x').error() == "xxx");
  CHECK(result<int, std::string>(unexpected<std::string>(std::in_place, std::size_t{2}, 'y'))
            .error() == "yy");
}

TEST_CASE("result: an eddy::error is taken without ceremony") {
  const auto fails = []() -> result<int> { return error(errc::elapsed, "timeout"); };
  CHECK(fails().error().message() == "timeout: deadline elapsed");
  const auto nothing = []() -> result<void> { return error(errc::closed); };
  CHECK(nothing().error() == errc::closed);
  const auto pointer = []() -> result<std::unique_ptr<int>> { return error(errc::closed); };
  CHECK(pointer().error() == errc::closed);
  const auto code = []() -> result<int> { return errc::elapsed; };
  CHECK(code().error().message() == "deadline elapsed");
  const auto code_only = []() -> result<void> { return errc::closed; };
  CHECK(code_only().error() == errc::closed);
  const result<std::error_code> as_value = errc::closed;  // what can be a value is one
  CHECK(*as_value == errc::closed);
  static_assert(!std::is_constructible_v<result<int, std::string>, errc>);
  int n = 0;
  const auto reference = [&](bool ok) -> result<int&> {
    if (ok) return n;
    return error(errc::closed);
  };
  CHECK(reference(false).error() == errc::closed);
  CHECK(&*reference(true) == &n);

  SUBCASE("and never mistaken for true") {
    const auto flag = []() -> result<bool> { return error(errc::closed); };
    CHECK(!flag().has_value());
    const error why(errc::closed);
    result<bool> direct(why);
    CHECK(!direct.has_value());
    CHECK(direct.error() == errc::closed);
  }
  SUBCASE("but is the value where the value is an error") {
    result<error> r = error(errc::closed);
    CHECK(r.has_value());
    CHECK(*r == errc::closed);
  }
}

TEST_CASE("result: void") {
  result<void> r;
  CHECK(r.has_value());
  r.value();
  *r;
  r = unexpected(errc::aborted);
  CHECK(!r);
  CHECK(r.error() == errc::aborted);
  r.emplace();
  CHECK(r.has_value());
  CHECK(result<void>(std::in_place).has_value());
  static_assert(std::is_void_v<decltype(*r)>);
  static_assert(std::is_void_v<decltype(r.value())>);
}

TEST_CASE("result: an lvalue reference is kept as such and rebound by assignment") {
  int a = 1;
  int b = 2;
  result<int&> r = a;
  *r = 10;
  CHECK(a == 10);
  r = b;
  CHECK(a == 10);
  CHECK(&r.value() == &b);
  CHECK(&*std::move(r) == &b);
  r = unexpected(errc::closed);
  CHECK(!r);
  CHECK(r.value_or(7) == 7);

  const result<int&> fixed_result = a;
  *fixed_result = 11;  // const is the result, not what it refers to
  CHECK(a == 11);

  point p{3, 4};
  result<point&> q = p;
  q->x = 5;
  CHECK(p.x == 5);
  CHECK(q.transform(&point::sum) == 9);
  result<int&> x = q.transform([](point& at) -> int& { return at.x; });
  CHECK(&*x == &p.x);
  CHECK(q.transform_error([](const error&) { return 1; }).value().x == 5);
  CHECK(&*q.or_else([](const error&) -> result<point&> { return unexpected(errc::closed); }) == &p);
  result<const point&> wider = q;
  CHECK(&*wider == &p);
}

TEST_CASE("result: move-only values come out by moving") {
  move_only r = std::make_unique<int>(3);
  CHECK(**r == 3);
  std::unique_ptr<int> out = *std::move(r);
  CHECK(*out == 3);
  r = std::move(out);
  CHECK(*std::move(r).value() == 3);
  CHECK(*move_only(std::make_unique<int>(4)).value_or(nullptr) == 4);
  move_only mapped =
      move_only(std::make_unique<int>(5)).transform([](std::unique_ptr<int> p) { return p; });
  CHECK(**mapped == 5);
  move_only kept =
      std::move(mapped).or_else([](error e) { return move_only(unexpected(std::move(e))); });
  CHECK(**kept == 5);
  result<int, std::unique_ptr<int>> failed(unexpect, std::make_unique<int>(6));
  CHECK(*std::move(failed).error() == 6);
}

TEST_CASE("result: copies, moves and assignments destroy what they replace") {
  using both = result<counted, std::string>;
  {
    both value(std::in_place, 1);
    both failed(unexpect, "a text that is too long for the small buffer");
    CHECK(counted::alive == 1);

    both copy = value;
    CHECK(counted::alive == 2);
    CHECK(copy->number == 1);
    both copied_error = failed;
    CHECK(copied_error.error() == failed.error());

    copy = failed;  // value to error
    CHECK(counted::alive == 1);
    CHECK(copy.error() == failed.error());
    copy = value;  // error to value
    CHECK(counted::alive == 2);
    CHECK(copy->number == 1);
    copy = both(std::in_place, 9);  // value to value
    CHECK(counted::alive == 2);
    CHECK(copy->number == 9);
    copied_error = both(unexpect, "other");  // error to error
    CHECK(copied_error.error() == "other");

    both moved = std::move(copy);
    CHECK(moved->number == 9);
    CHECK(copy.has_value());
    CHECK(copy->number == -1);
    moved = std::move(failed);
    CHECK(!moved);
    moved = unexpected("text");
    CHECK(moved.error() == "text");
    both& same = moved;
    moved = same;
    CHECK(moved.error() == "text");

    value.emplace(12);
    CHECK(value->number == 12);
    moved.emplace(13);
    CHECK(moved->number == 13);
    CHECK(counted::alive == 3);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("result: swap") {
  result<std::string> a = "a";
  result<std::string> b = unexpected(errc::closed);
  swap(a, b);
  CHECK(a.error() == errc::closed);
  CHECK(*b == "a");
  result<std::string> c = "c";
  b.swap(c);
  CHECK(*b == "c");
  CHECK(*c == "a");
}

TEST_CASE("result: is built in place and converts between results") {
  result<std::string> r(std::in_place, std::size_t{2}, 'a');
  CHECK(*r == "aa");
  CHECK(r->size() == 2);
  CHECK(std::as_const(r)->size() == 2);
  CHECK(r.emplace(std::size_t{2}, 'z') == "zz");

  const result<int, code> narrow = 3;
  result<long, code> wide = narrow;
  CHECK(*wide == 3);
  const result<int, const char*> failed(unexpect, "why");
  result<long, std::string> text = failed;
  CHECK(text.error() == "why");
  result<void, const char*> nothing(unexpect, "not");
  result<void, std::string> nothing_said = std::move(nothing);
  CHECK(nothing_said.error() == "not");
  static_assert(!std::is_convertible_v<result<void>, result<int>>);
  static_assert(!std::is_convertible_v<result<int>, result<void>>);
  static_assert(!std::is_convertible_v<result<std::string>, result<int>>);

  result<bool, code> flag = result<int, code>(0);
  CHECK(flag.has_value());
  CHECK(*flag == false);
  CHECK(!result<bool, code>(result<int, code>(unexpected(code::bad))));

  result<result<int>> nested = result<int>(error(errc::closed));
  CHECK(nested.has_value());
  CHECK(nested->error() == errc::closed);
}

TEST_CASE("result: value_or and error_or") {
  const result<std::string> ok = "v";
  const result<std::string> failed = unexpected(errc::closed);
  CHECK(ok.value_or("other") == "v");
  CHECK(failed.value_or("other") == "other");
  CHECK(result<std::string>("w").value_or("other") == "w");
  CHECK(ok.error_or(errc::lagged) == errc::lagged);
  CHECK(failed.error_or(errc::lagged) == errc::closed);
  CHECK(result<std::string>(failed).error_or(errc::lagged) == errc::closed);
}

TEST_CASE("result: and_then, or_else, transform, transform_error") {
  using number = result<int, code>;
  const number ok = 8;
  const number failed = unexpected(code::bad);
  int calls = 0;
  const auto halve = [&](int n) {
    ++calls;
    return half(n);
  };

  CHECK(ok.and_then(halve) == 4);
  CHECK(calls == 1);
  CHECK(failed.and_then(halve) == unexpected(code::bad));
  CHECK(calls == 1);

  CHECK(failed.or_else([](code) -> number { return 1; }) == 1);
  CHECK(failed.or_else([](code) -> result<int, int> { return unexpected(3); }).error() == 3);
  CHECK(ok.or_else([](code) -> number { return 1; }) == 8);

  CHECK(ok.transform([](int n) { return std::to_string(n); }) == "8");
  CHECK(failed.transform([](int n) { return std::to_string(n); }).error() == code::bad);
  CHECK(failed.transform_error([](code c) { return static_cast<int>(c); }).error() == 1);
  CHECK(ok.transform_error([](code c) { return static_cast<int>(c); }) == 8);

  int seen = 0;
  result<void, code> nothing = ok.transform([&](int n) { seen = n; });
  CHECK(nothing.has_value());
  CHECK(seen == 8);
  CHECK(nothing.transform([] { return 2; }) == 2);
  CHECK(nothing.and_then([] { return half(2); }) == 1);
  CHECK(nothing.or_else([](code) { return result<void, int>(); }).has_value());
  CHECK(nothing.transform_error([](code) { return 1; }).has_value());

  number changing = 1;
  changing.transform([](int& n) { n = 5; }).value();
  CHECK(changing == 5);

  result<point> p(std::in_place, point{1, 2});
  CHECK(p.transform(&point::x) == 1);
  CHECK(p.transform(&point::sum) == 3);
}

TEST_CASE("result: comparison") {
  using text = result<std::string, code>;
  CHECK(text("a") == text("a"));
  CHECK(text("a") != text("b"));
  CHECK(text("a") == "a");
  CHECK("b" != text("a"));
  CHECK(text("a") != unexpected(code::bad));
  CHECK(text(unexpected(code::bad)) == unexpected(code::bad));
  CHECK(text(unexpected(code::bad)) != unexpected(code::worse));
  CHECK(text(unexpected(code::bad)) == text(unexpect, code::bad));
  CHECK(text(unexpected(code::bad)) != text("a"));
  CHECK(text(unexpected(code::bad)) != "a");
  CHECK(result<void, code>() == result<void, code>());
  CHECK(result<void, code>() != result<void, code>(unexpect, code::bad));
  CHECK(result<int, code>(3) == result<long, code>(3));
  CHECK(unexpected(1) == unexpected(1L));
}

#ifdef __cpp_lib_expected
TEST_CASE("result: converts to std::expected") {
  std::expected<int, code> value = result<int, code>(3);
  CHECK(value.value() == 3);
  const result<int, code> failed = unexpected(code::bad);
  std::expected<int, code> error = failed;
  CHECK(error.error() == code::bad);
  std::expected<void, code> nothing = result<void, code>();
  CHECK(nothing.has_value());
  std::expected<std::unique_ptr<int>, code> moved =
      result<std::unique_ptr<int>, code>(std::make_unique<int>(1));
  CHECK(**moved == 1);
  static_assert(!std::is_convertible_v<result<int, code>, std::expected<std::string, code>>);
}
#endif

#if EDDY_EXCEPTIONS

TEST_CASE("result: value() throws what the error stands for") {
  result<int> timed_out = unexpected(errc::elapsed);
  CHECK_THROWS_AS(timed_out.value(), eddy::elapsed);
  CHECK_THROWS_AS(std::as_const(timed_out).value(), eddy::elapsed);
  CHECK_THROWS_AS(std::move(timed_out).value(), eddy::elapsed);
  result<void> closed = unexpected(errc::closed);
  CHECK_THROWS_AS(closed.value(), eddy::failure);

  result<int, loud> own(unexpect, loud{4});
  CHECK_THROWS_AS(own.value(), int);

  result<int, std::string> plain(unexpect, "why");
  CHECK_THROWS_AS(plain.value(), std::string);
  result<int, std::unique_ptr<int>> owner(unexpect, std::make_unique<int>(8));
  try {
    std::move(owner).value();
    FAIL("no exception");
  } catch (const std::unique_ptr<int>& thrown) {
    CHECK(*thrown == 8);
  }
}

namespace {

// Throws when it is copied or made from a negative number, and has no move.
struct fragile {
  int number;
  fragile(int n) : number(n) {
    if (n < 0) throw n;
  }
  fragile(const fragile& other) : number(other.number) {
    if (number == 13) throw 13;
  }
  fragile& operator=(const fragile&) = default;
};

}  // namespace

TEST_CASE("result: a constructor that throws leaves what was there") {
  using r = result<fragile, std::string>;
  r failed(unexpect, "the old error, long enough for an allocation");
  const r unlucky(std::in_place, 13);
  CHECK_THROWS_AS(failed = unlucky, int);
  CHECK(failed.error() == "the old error, long enough for an allocation");
  CHECK_THROWS_AS(failed.emplace(-1), int);
  CHECK(failed.error() == "the old error, long enough for an allocation");
  r value(std::in_place, 1);
  CHECK_THROWS_AS(value.emplace(-1), int);
  CHECK(value->number == 1);
  failed = value;
  CHECK(failed->number == 1);

  CHECK_THROWS_AS(static_cast<void>(r{unlucky}), int);
}

#endif
