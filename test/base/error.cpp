#include <eddy/base/error.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <ostream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/base/result.hpp>

using eddy::errc;
using eddy::error;

namespace {

// libuv's codes without <uv.h>: an errno is its negative, the others are libuv's own and stable.
constexpr int uv_eai_noname = -3008;
constexpr int uv_eof = -4095;

static_assert(sizeof(error) == 16);
static_assert(std::is_nothrow_copy_constructible_v<error>);
static_assert(std::is_nothrow_copy_assignable_v<error>);
static_assert(std::is_nothrow_move_constructible_v<error>);
static_assert(std::is_nothrow_move_assignable_v<error>);
static_assert(std::is_nothrow_swappable_v<error>);
static_assert(std::is_convertible_v<errc, error>);
static_assert(!std::is_convertible_v<error, bool>);
static_assert(!std::is_convertible_v<int, error>);
static_assert(std::is_error_code_enum_v<errc>);

}  // namespace

TEST_CASE("error: an empty one is no error") {
  const error none;
  CHECK(!none);
  CHECK(none.message() == "no error");
  CHECK(!none.code());
  CHECK(none.operation() == nullptr);
  CHECK(none.detail().empty());
  CHECK(!none.is(errc::elapsed));
  CHECK(!error::system(0, "read"));
}

TEST_CASE("error: eddy's own codes and their messages") {
  CHECK(error(errc::elapsed).message() == "deadline elapsed");
  CHECK(error(errc::aborted).message() == "task aborted");
  CHECK(error(errc::closed).message() == "closed");
  CHECK(error(errc::lagged).message() == "receiver lagged behind");
  CHECK(error(errc::broken_promise).message() == "broken promise");
  CHECK(error(errc::misuse).message() == "misuse");
  CHECK(error(errc::exception).message() == "exception");
  CHECK(error(errc::closed, "send").message() == "send: closed");
  CHECK(error(errc::aborted, "task", "worker 3").message() == "task worker 3: task aborted");
  CHECK(error(errc::misuse, "a future was awaited outside a runtime").message() ==
        "a future was awaited outside a runtime");
  CHECK(std::string(eddy::eddy_category().name()) == "eddy");
  CHECK(eddy::eddy_category().message(0) == "no error");
  CHECK(eddy::eddy_category().message(99) == "unknown error");
}

TEST_CASE("error: system codes name operation and detail") {
  const error refused = error::system(-ECONNREFUSED, "connect", "127.0.0.1:1");
  CHECK(refused);
  CHECK(refused.message() == "connect 127.0.0.1:1: connection refused");
  CHECK(std::string(refused.operation()) == "connect");
  CHECK(refused.detail() == "127.0.0.1:1");
  CHECK(error::system(-EPIPE, "write").message() == "write: broken pipe");
  CHECK(error::system(-EPIPE, nullptr).message() == "broken pipe");
  CHECK(error::system(-ENOENT, nullptr, "/no/such").message() ==
        "/no/such: no such file or directory");
  CHECK(error::system(-ENOENT, "open", "").message() == "open: no such file or directory");
  CHECK(error::system(uv_eof, "read").message() == "read: end of file");
  CHECK(error::system(uv_eai_noname, "resolve", "nowhere.invalid:80").message() ==
        "resolve nowhere.invalid:80: unknown node or service");

  SUBCASE("an errno may come in either sign") {
    CHECK(error::system(ECONNREFUSED, "connect") == refused);
    CHECK(error::system(ENOENT, "open").code().value() == -ENOENT);
  }
  SUBCASE("a runaway detail is cut") {
    CHECK(error::system(-ENOENT, "open", std::string(1 << 20, 'x')).detail().size() == 64 * 1024);
  }
}

TEST_CASE("error: codes compare with std::errc and eddy::errc") {
  const error refused = error::system(-ECONNREFUSED, "connect");
  CHECK(refused == std::errc::connection_refused);
  CHECK(std::errc::connection_refused == refused);
  CHECK(refused != std::errc::timed_out);
  CHECK(refused != errc::elapsed);
  CHECK(refused.code() == std::errc::connection_refused);
  CHECK(refused.code().category() == eddy::uv_category());
  CHECK(std::string(eddy::uv_category().name()) == "libuv");
  CHECK(refused == std::error_code(-ECONNREFUSED, eddy::uv_category()));

  const error late = errc::elapsed;
  CHECK(late == errc::elapsed);
  CHECK(late.is(errc::elapsed));
  CHECK(!late.is(errc::aborted));
  CHECK(late != errc::aborted);
  CHECK(late.code() == errc::elapsed);
  CHECK(late == std::errc::timed_out);
  CHECK(error(errc::aborted) == std::errc::operation_canceled);
  CHECK(error::system(-ETIMEDOUT, "connect") == std::errc::timed_out);
  CHECK(error::system(-ETIMEDOUT, "connect") != errc::elapsed);
  CHECK(error(errc::closed) != std::errc::broken_pipe);

  // What is not an errno has no counterpart.
  CHECK(error::system(uv_eof, "read") != std::errc::io_error);
  CHECK(eddy::uv_category().default_error_condition(uv_eai_noname).category() ==
        eddy::uv_category());
  CHECK(eddy::uv_category().default_error_condition(uv_eof).category() == eddy::uv_category());
  CHECK(eddy::uv_category().message(0) == "no error");

  // Equality looks at the code alone.
  CHECK(error::system(-EPIPE, "write") == error::system(-EPIPE, "send", "10.0.0.1:1"));
  CHECK(error(errc::closed) != error(errc::lagged));
  CHECK(error() == error());
  CHECK(error() != error(errc::elapsed));
}

TEST_CASE("error: copies and moves share the detail") {
  error a = error::system(-ENOENT, "open", "/a/path");
  error b = a;
  CHECK(b.detail().data() == a.detail().data());
  error c = std::move(a);
  CHECK(!a);
  CHECK(a.message() == "no error");
  CHECK(c.detail() == "/a/path");
  {
    error d = c;
    b = d;
    d = error(errc::closed, "send");
    CHECK(d.message() == "send: closed");
  }
  c = error();
  CHECK(b.message() == "open /a/path: no such file or directory");

  error& same = b;
  b = same;
  CHECK(b.detail() == "/a/path");
  b = std::move(same);
  CHECK(b.detail() == "/a/path");

  error plain(errc::elapsed, "timeout");
  swap(plain, b);
  CHECK(plain.detail() == "/a/path");
  CHECK(b.message() == "timeout: deadline elapsed");
  plain.swap(plain);
  CHECK(plain.detail() == "/a/path");

  std::vector<error> many(8, plain);
  many.erase(many.begin(), many.begin() + 7);
  CHECK(many.at(0).detail() == "/a/path");
}

#if EDDY_EXCEPTIONS

namespace {

template <class F>
error caught_from(F&& f) {
  try {
    f();
  } catch (...) {
    return error::current_exception();
  }
  return {};
}

// The type and what() of what an error throws.
template <class Type>
std::string thrown_text(const error& e) {
  try {
    e.raise();
  } catch (const Type& thrown) {
    return thrown.what();
  } catch (...) {
    return "another type";
  }
}

}  // namespace

TEST_CASE("error: raise throws the type of the code") {
  CHECK(thrown_text<eddy::elapsed>(error(errc::elapsed, "timeout")) == "timeout: deadline elapsed");
  CHECK(thrown_text<eddy::join_error>(error(errc::aborted)) == "task aborted");
  CHECK(thrown_text<eddy::broken_promise>(errc::broken_promise) == "broken promise");
  CHECK(thrown_text<eddy::failure>(errc::lagged) == "receiver lagged behind");
  CHECK(thrown_text<eddy::failure>(error::system(-ECONNREFUSED, "connect", "127.0.0.1:1")) ==
        "connect 127.0.0.1:1: connection refused");
  CHECK(thrown_text<std::system_error>(errc::elapsed) == "deadline elapsed");
  CHECK(thrown_text<eddy::failure>(errc::elapsed) == "deadline elapsed");
  CHECK(thrown_text<std::logic_error>(error(errc::misuse, "polled after completion")) ==
        "eddy: polled after completion");
  CHECK(thrown_text<eddy::failure>(error(errc::misuse)) == "another type");
  CHECK(thrown_text<std::logic_error>(error()) == "eddy: an empty error was raised");
  CHECK(thrown_text<eddy::elapsed>(errc::aborted) == "another type");
}

TEST_CASE("error: a failure carries its error") {
  const error refused = error::system(-ECONNREFUSED, "connect", "127.0.0.1:1");
  try {
    refused.raise();
  } catch (const eddy::failure& thrown) {
    CHECK(thrown.code() == std::errc::connection_refused);
    CHECK(thrown.error().detail().data() == refused.detail().data());
    const eddy::failure copy = thrown;
    CHECK(copy.error().message() == copy.what());
  }
  static_assert(std::is_nothrow_copy_constructible_v<eddy::failure>);
  static_assert(std::is_nothrow_copy_constructible_v<eddy::elapsed>);
  static_assert(std::is_base_of_v<eddy::failure, eddy::join_error>);
  static_assert(std::is_base_of_v<eddy::failure, eddy::broken_promise>);
}

TEST_CASE("error: a captured exception comes out as it was") {
  const error boom = caught_from([] { throw std::runtime_error("boom"); });
  CHECK(boom);
  CHECK(boom.message() == "boom");
  CHECK(boom.code() == errc::exception);
  CHECK(boom.is(errc::exception));
  CHECK(boom.operation() == nullptr);
  CHECK(boom.detail().empty());
  CHECK(boom.exception() != nullptr);
  CHECK(thrown_text<std::runtime_error>(boom) == "boom");

  error copy = boom;
  CHECK(copy.exception() == boom.exception());
  error moved = std::move(copy);
  CHECK(!copy);
  CHECK(moved.message() == "boom");
  error other(errc::closed);
  swap(moved, other);
  CHECK(other.message() == "boom");
  CHECK(moved == errc::closed);
  moved = other;
  other = errc::elapsed;
  CHECK(moved.message() == "boom");

  const error odd = caught_from([] { throw 42; });
  CHECK(odd.message() == "exception of an unknown type");
  CHECK(odd == errc::exception);
  CHECK_THROWS_AS(odd.raise(), int);

  CHECK(error(errc::closed).exception() == nullptr);
  CHECK(!error::from_exception(nullptr));
  CHECK(!error::current_exception());
}

TEST_CASE("error: a captured system_error answers with its code") {
  const error io = caught_from(
      [] { throw std::system_error(std::make_error_code(std::errc::io_error), "disk"); });
  CHECK(io == std::errc::io_error);
  CHECK(io != errc::exception);
  CHECK(!io.is(errc::exception));
  CHECK(io.code().category() == std::generic_category());

  const error late = caught_from([] { error(errc::elapsed, "timeout").raise(); });
  CHECK(late == errc::elapsed);
  CHECK(late == error(errc::elapsed));
  CHECK(late.message() == "timeout: deadline elapsed");
  CHECK_THROWS_AS(late.raise(), eddy::elapsed);
}

TEST_CASE("misuse throws where it can be caught") {
  CHECK_THROWS_WITH_AS(eddy::detail::misuse("polled after completion"),
                       "eddy: polled after completion", std::logic_error);
}

#endif
