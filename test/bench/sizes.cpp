// Sizes that the memory of a sleeping task and of an idle connection is made of. Growth is a failing test:
// change a number here only with the reason in the commit.

#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <eddy/base/detail/frame_pool.hpp>

#include "base/sanitizer.hpp"
#include "base/slab.hpp"
#include "runtime/reactor.hpp"
#include "task/task_slab.hpp"

using namespace std::chrono_literals;

namespace {

constexpr std::size_t word = sizeof(void*);
#if defined(__OPTIMIZE__) && !EDDY_SANITIZED
constexpr bool optimised = true;
#else
constexpr bool optimised = false;
#endif

// A coroutine's frame is its promise's own block of the frame allocator: the block's class says how large the
// compiler made it, rounded up to 64 as it is paid for. Its address is where the coroutine's handle points.
template <class T>
std::size_t frame_bytes(eddy::future<T> f) {
  auto frame = eddy::detail::future_access::release(f);
  const std::size_t bytes = eddy::detail::chunk_of(frame.address())->block_bytes;
  frame.destroy();
  return bytes;
}

eddy::future<> one_sleep() { co_await eddy::sleep(1h); }
eddy::future<> sleep_of(std::chrono::milliseconds d) { co_await eddy::sleep(d); }
eddy::future<> nothing() { co_return; }
eddy::future<int> value(int i) { co_return i; }
eddy::future<> one_yield() { co_await eddy::yield_now(); }
eddy::future<> one_child() { co_await nothing(); }
eddy::future<> read_once(eddy::net::tcp_stream* s, eddy::net::buffer to) { co_await s->read(to); }
eddy::future<> wait_readable(eddy::net::tcp_stream* s) { co_await s->readable(); }

}  // namespace

// Everything below is for 64-bit pointers and libstdc++'s exception_ptr of one word.
static_assert(word == 8);

TEST_CASE("a waiting task is made of small parts") {
  CHECK(sizeof(eddy::detail::task) == 64);
  CHECK(sizeof(eddy::detail::task_info) == 24);
  CHECK(sizeof(eddy::detail::chain) == 32);
  CHECK(sizeof(eddy::detail::coroutine_promise<void>) == (EDDY_EXCEPTIONS ? 32 : 24));
  CHECK(sizeof(eddy::detail::coroutine_promise<int>) == (EDDY_EXCEPTIONS ? 40 : 32));
  CHECK(sizeof(eddy::detail::timer_entry) == 24);
  CHECK(sizeof(eddy::sleep_leaf) <= 40);
}

TEST_CASE("an idle connection is made of small parts") {
  CHECK(sizeof(eddy::net::tcp_stream) == 8);
  CHECK(sizeof(eddy::detail::watched_descriptor) <= 256);  // 160 of it are libuv's
  CHECK(sizeof(eddy::detail::io_waiter) == 32);
  CHECK(sizeof(eddy::detail::read_leaf) <= 64);
  CHECK(sizeof(eddy::detail::ready_leaf) <= 40);
}

TEST_CASE("what is passed around is small") {
  CHECK(sizeof(eddy::waker) == 8);
  CHECK(sizeof(eddy::context) == 32);
  CHECK(sizeof(eddy::future<>) == 8);
  CHECK(sizeof(eddy::future<int>) == 8);
  CHECK(sizeof(eddy::join_handle<>) == 16);
  CHECK(sizeof(eddy::join_handle<int>) == sizeof(eddy::join_handle<>));
  CHECK(sizeof(eddy::promise<>) <= 16);
  CHECK(sizeof(eddy::handle) == 8);
  CHECK(sizeof(eddy::runtime) == 8);
  CHECK(sizeof(eddy::error) <= 16);
  CHECK(sizeof(eddy::result<void>) <= 24);
  CHECK(sizeof(eddy::polled<>) == 1);
}

TEST_CASE("an mpsc channel: handles of a word, and one block of 128 bytes") {
  // Tokio 1.53: handles of 8 bytes; two lines of 128 bytes and what is beside them, and a first block of 32
  // slots from the beginning.
  CHECK(sizeof(eddy::sync::mpsc::sender<std::uint64_t>) == 8);
  CHECK(sizeof(eddy::sync::mpsc::receiver<std::uint64_t>) == 8);
  CHECK(sizeof(eddy::sync::mpsc::unbounded_sender<std::uint64_t>) == 8);
  CHECK(sizeof(eddy::sync::mpsc::weak_sender<std::uint64_t>) == 8);
  CHECK(sizeof(eddy::detail::mpsc_core<std::uint64_t>) <= 128);
  CHECK(sizeof(eddy::detail::mpsc_recv<std::uint64_t>) == 16);
  CHECK(sizeof(eddy::detail::mpsc_send<std::uint64_t>) == 48);
  CHECK(sizeof(eddy::sync::mpsc::permit<std::uint64_t>) == 8);
}

TEST_CASE("what tells is no larger than Tokio's: notify 32, a wait 64 bytes") {
  CHECK(sizeof(eddy::sync::notify) == (EDDY_POOL ? 24 : 32));
  CHECK(sizeof(std::declval<eddy::sync::notify&>().notified()) == 40);
  CHECK(sizeof(eddy::sync::cancellation_token) == 8);
  CHECK(sizeof(std::declval<eddy::sync::cancellation_token&>().cancelled()) == 40);
  CHECK(sizeof(eddy::sync::task_tracker) == 16);
}

TEST_CASE("an await keeps at most two words beside its leaf") {
  CHECK(sizeof(eddy::detail::leaf_awaiter<eddy::sleep_leaf>) <= 16);
  CHECK(sizeof(eddy::detail::leaf_awaiter<eddy::detail::yield_leaf>) <= 16);
  CHECK(sizeof(eddy::detail::future_awaiter<void>) <= 16);
  CHECK(sizeof(eddy::detail::future_awaiter<int>) <= 16);
}

// Tokio: two handles of 8 bytes and an Arc of 64, which malloc makes 80.
TEST_CASE("a oneshot channel is two words and one block") {
  CHECK(sizeof(eddy::sync::oneshot::sender<int>) == 8);
  CHECK(sizeof(eddy::sync::oneshot::receiver<int>) == 8);
  CHECK(sizeof(eddy::detail::cell<int, eddy::detail::sync_memory>) <= 64);
  CHECK(sizeof(eddy::detail::oneshot_closed<int>) == 8);
}

TEST_CASE("locks are no larger than Tokio's, and own no other memory") {
  // Tokio 1.53 (peers/tokio/src/bin/mem.rs): Semaphore 40, Mutex<()> 40, RwLock<()> 48, Barrier 56. Without the
  // pool eight bytes say whose loop it is.
  constexpr std::size_t mark = EDDY_POOL ? 0 : 8;
  CHECK(sizeof(eddy::sync::semaphore) == 24 + mark);
  CHECK(sizeof(eddy::sync::mutex<eddy::unit>) == 32 + mark);
  CHECK(sizeof(eddy::sync::rw_lock<eddy::unit>) == 40 + mark);
  CHECK(sizeof(eddy::sync::barrier) == 48 + mark);
  CHECK(sizeof(eddy::sync::mutex_guard<int>) == 8);
  CHECK(sizeof(eddy::sync::semaphore_permit) == 16);
  CHECK(sizeof(eddy::sync::rw_lock_read_guard<int>) == 16);
  CHECK(sizeof(std::declval<eddy::sync::semaphore&>().acquire()) <= 48);
  CHECK(sizeof(std::declval<eddy::sync::mutex<int>&>().lock()) <= 48);
}

// Tokio: broadcast's Arc is 160 and 40 for each of its slots (2 handles: 8 and 16); watch's Arc is above 400 (8 and 16).
TEST_CASE("an empty broadcast or watch channel is one small block") {
  CHECK(sizeof(eddy::sync::broadcast::sender<int>) == 8);
  CHECK(sizeof(eddy::sync::broadcast::receiver<int>) == 16);
  CHECK(sizeof(eddy::detail::broadcast_core<int>) <= 128);
  CHECK(sizeof(eddy::detail::broadcast_core<int>::node) <= 24);
  CHECK(sizeof(eddy::detail::broadcast_recv<int>) <= 48);
  CHECK(sizeof(eddy::sync::watch::sender<int>) == 8);
  CHECK(sizeof(eddy::sync::watch::receiver<int>) == 16);
  CHECK(sizeof(eddy::detail::watch_core<int>) <= 128);
  CHECK(sizeof(eddy::detail::watch_changed<int>) <= 48);
}

TEST_CASE("frames of the commonest coroutines") {
  if (!optimised) {
    CHECK(frame_bytes(one_sleep()) <= 320);
    return;
  }
  // Unoptimised frames hold every temporary; both compilers' optimised ones fit the same blocks.
  CHECK(frame_bytes(one_sleep()) == 128);
  CHECK(frame_bytes(sleep_of(1ms)) <= 192);
  CHECK(frame_bytes(nothing()) == 64);
#ifdef __clang__
  CHECK(frame_bytes(value(1)) == 64);
#else
  CHECK(frame_bytes(value(1)) == 128);
#endif
  CHECK(frame_bytes(one_yield()) <= 128);
  CHECK(frame_bytes(one_child()) <= 128);
  CHECK(frame_bytes(wait_readable(nullptr)) == 192);
  CHECK(frame_bytes(read_once(nullptr, {})) <= 256);
}
