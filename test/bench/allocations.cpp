// In steady state nothing of eddy's calls malloc. This program counts every call: its own malloc family stands
// before the C library's, so that the library, the standard library and libuv are all seen.

#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <span>
#include <utility>

#include "base/sanitizer.hpp"
#include "base/slab.hpp"
#include "support/runtime_access.hpp"

#if defined(__GLIBC__) && !EDDY_SANITIZED
#define COUNTS 1
#else
#define COUNTS 0  // a sanitizer's allocator must not be stood before
#endif

namespace {
// Calls so far, on all threads; read when no other thread works.
std::atomic<std::size_t> calls{0};  // partner: the main thread's reads; relaxed, a count
}  // namespace

#if COUNTS
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t n) noexcept {
  calls.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(n);
}
void* calloc(std::size_t n, std::size_t size) noexcept {
  calls.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(n, size);
}
void* realloc(void* p, std::size_t n) noexcept {
  calls.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(p, n);
}
void* aligned_alloc(std::size_t align, std::size_t n) noexcept {
  calls.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(align, n);
}
int posix_memalign(void** out, std::size_t align, std::size_t n) noexcept {
  calls.fetch_add(1, std::memory_order_relaxed);
  *out = __libc_memalign(align, n);
  return 0;
}
}
#endif

using namespace std::chrono_literals;

namespace {

constexpr int rounds = 1000;

/// Calls of malloc during a thousand `round()`, after some that fill the free lists.
template <class Round>
eddy::future<std::size_t> allocations_of(Round round) {
  for (int i = 0; i < rounds; ++i) co_await round();
  const std::size_t before = calls.load(std::memory_order_relaxed);
  for (int i = 0; i < rounds; ++i) co_await round();
  co_return calls.load(std::memory_order_relaxed) - before;
}

template <class Round>
std::size_t measure(Round round) {
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  return rt.block_on(allocations_of(round));
}

eddy::future<int> value(int i) { co_return i; }
eddy::future<int> value_later(int i) {
  co_await eddy::yield_now();
  co_return i;
}
eddy::future<> sleeper() { co_await eddy::sleep(1ms); }

eddy::future<> await_ready() { CHECK(co_await value(1) == 1); }
eddy::future<> spawn_join() {
  auto h = eddy::spawn(value_later(2));
  CHECK(co_await h == 2);
}
eddy::future<> spawn_call_join() {
  auto h = eddy::spawn([](int x) { return value_later(x); }, 3);
  CHECK(co_await h == 3);
}
eddy::future<> spawn_detached() {
  eddy::spawn(sleeper());
  co_await eddy::sleep(2ms);
}
eddy::future<> spawn_many() {
  auto a = eddy::spawn(sleeper());
  auto b = eddy::spawn(sleeper());
  auto c = eddy::spawn(sleeper());
  co_await a;
  co_await b;
  co_await c;
}
eddy::future<> aborted() {
  auto h = eddy::spawn(sleeper());
  co_await eddy::yield_now();
  h.abort();
  const auto r = co_await eddy::attempt(std::move(h));
  CHECK(!r.has_value());
}
eddy::future<> sleeps() { co_await eddy::sleep(1ms); }
eddy::future<> yields() { co_await eddy::yield_now(); }
eddy::future<> timeout_in_time() {
  const int v = co_await eddy::timeout(1s, value_later(4));
  CHECK(v == 4);
}
eddy::future<> timeout_elapsed() {
  const auto r = co_await eddy::attempt(eddy::timeout(1ms, eddy::sleep(1h)));
  CHECK(!r.has_value());
}
eddy::future<> promised() {
  eddy::promise<int> p;
  auto f = p.get_future();
  p.set_value(5);
  CHECK(co_await std::move(f) == 5);
}
eddy::future<> fulfil(eddy::promise<int> p) {
  co_await eddy::yield_now();
  p.set_value(6);
}
eddy::future<> promised_later() {
  eddy::promise<int> p;
  auto f = p.get_future();
  eddy::spawn(fulfil(std::move(p)));
  CHECK(co_await std::move(f) == 6);
}

// Both kinds of channel: waiting on both sides, a backlog of several blocks, permits.
eddy::future<> fill(eddy::sync::mpsc::sender<int> tx) {
  for (int i = 0; i < 100; ++i) co_await tx.send(i);
  auto permit = co_await tx.reserve();
  permit.send(100);
}
eddy::future<> channels() {
  auto bounded = eddy::sync::mpsc::channel<int>(40);
  auto sending = eddy::spawn(fill(std::move(bounded.tx)));
  int n = 0;
  while (co_await bounded.rx.recv()) ++n;
  CHECK(n == 101);
  co_await sending;
  auto unbounded = eddy::sync::mpsc::unbounded_channel<int>();
  for (int i = 0; i < 100; ++i) CHECK(unbounded.tx.send(i).has_value());
  for (int i = 0; i < 100; ++i) CHECK(unbounded.rx.try_recv() == i);
}

// The way every echo takes: read what there is, write all of it.
eddy::future<> echo(eddy::net::tcp_stream s) {
  std::array<std::byte, 256> buffer;
  while (const std::size_t n = co_await s.read(buffer))
    co_await s.write_all(std::span(buffer).first(n));
}
// The way for many idle clients: wait without a buffer.
eddy::future<> echo_when_readable(eddy::net::tcp_stream s) {
  static std::array<std::byte, 256> shared;
  for (;;) {
    co_await s.readable();
    const auto n = s.try_read(shared);
    if (!n) continue;
    if (*n == 0) co_return;
    co_await s.write_all(std::span(shared).first(*n));
  }
}

eddy::future<std::size_t> allocations_of_echo(eddy::future<> (*serve)(eddy::net::tcp_stream)) {
  auto listener = co_await eddy::net::tcp_listener::bind("127.0.0.1:0");
  auto client = co_await eddy::net::tcp_stream::connect(listener.local_addr());
  auto accepted = co_await listener.accept();
  auto server = eddy::spawn(serve(std::move(accepted.stream)));
  std::array<std::byte, 64> request{};
  std::array<std::byte, 64> answer{};
  std::size_t before = 0;
  for (int i = 0; i < 2 * rounds; ++i) {
    if (i == rounds) before = calls.load(std::memory_order_relaxed);
    co_await client.write_all(request);
    for (std::span<std::byte> rest = answer; !rest.empty();) {
      const std::size_t n = co_await client.read(rest);
      rest = rest.subspan(n);
    }
  }
  const std::size_t made = calls.load(std::memory_order_relaxed) - before;
  static_cast<void>(client.shutdown_write());
  co_await server;
  co_return made;
}

}  // namespace

TEST_SUITE("allocations") {
  TEST_CASE("the counter counts" * doctest::skip(!COUNTS)) {
    const std::size_t before = calls.load();
    // Through pointers that the optimiser cannot see through, or it would leave the allocations out.
    void* (*volatile allocate)(std::size_t) = &std::malloc;
    void* (*volatile make)(std::size_t) = &::operator new;
    std::free(allocate(100));
    ::operator delete(make(100));
    CHECK(calls.load() - before == 2);
  }
  TEST_CASE("a coroutine that is ready") { CHECK(measure(await_ready) == 0); }
  TEST_CASE("yielding") { CHECK(measure(yields) == 0); }
  TEST_CASE("spawning and joining a future") { CHECK(measure(spawn_join) == 0); }
  TEST_CASE("spawning and joining a callable with arguments") {
    CHECK(measure(spawn_call_join) == 0);
  }
  TEST_CASE("spawning and detaching") { CHECK(measure(spawn_detached) == 0); }
  TEST_CASE("several tasks at once") { CHECK(measure(spawn_many) == 0); }
  TEST_CASE("aborting") { CHECK(measure(aborted) == 0); }
  TEST_CASE("sleeping, the clock paused") { CHECK(measure(sleeps) == 0); }
  TEST_CASE("timeouts that do not elapse") { CHECK(measure(timeout_in_time) == 0); }
  TEST_CASE("timeouts that elapse") { CHECK(measure(timeout_elapsed) == 0); }
  TEST_CASE("promises, fulfilled before and after the await") {
    CHECK(measure(promised) == 0);
    CHECK(measure(promised_later) == 0);
  }
  TEST_CASE("mpsc channels") { CHECK(measure(channels) == 0); }
  TEST_CASE("sleeping, by the real clock and the loop's timer") {
    eddy::runtime rt;
    const auto n = rt.block_on(
        allocations_of([] { return []() -> eddy::future<> { co_await eddy::sleep(1us); }(); }));
    CHECK(n == 0);
  }
  TEST_CASE("echo requests over TCP") {
    eddy::runtime rt;
    CHECK(rt.block_on(allocations_of_echo(echo)) == 0);
    CHECK(rt.block_on(allocations_of_echo(echo_when_readable)) == 0);
  }
}
