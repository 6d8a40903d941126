// What a losing branch must not take with it: 100 000 random races each.

#include <eddy/combine/select.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/sync/mpsc.hpp>

#include "support/leak_check.hpp"
#include "support/leaves.hpp"

namespace {

using eddy::future;
namespace mpsc = eddy::sync::mpsc;

constexpr int races = 100'000;

/// A small generator, so that a failure can be run again.
class dice {
 public:
  explicit dice(std::uint64_t seed) noexcept : state_(seed) {}
  int below(int n) noexcept {
    state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return static_cast<int>((state_ >> 33) % static_cast<std::uint64_t>(n));
  }

 private:
  std::uint64_t state_;
};

future<> wait_turns(int n) {
  for (; n != 0; --n) co_await eddy::yield_now();
}

future<> send_all(mpsc::sender<int> tx, int n, std::uint64_t seed) {
  dice d(seed);
  for (int i = 0; i < n; ++i) {
    co_await wait_turns(d.below(3));
    for (;;) {  // a send that loses has not sent either
      auto r = co_await eddy::select(tx.reserve(), wait_turns(d.below(3)));
      if (auto* permit = r.get_if<0>()) {
        permit->send(i);
        break;
      }
    }
  }
}

TEST_CASE("no message is lost to a receive that loses") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().rng_seed(1).build();
  rt.block_on([]() -> future<> {
    auto [tx, rx] = mpsc::channel<int>(2);
    auto sender = eddy::spawn(send_all(std::move(tx), races, 2));
    dice d(3);
    int next = 0;
    for (bool more = true; more;) {
      auto r = co_await eddy::select(rx.recv(), wait_turns(d.below(3)));
      if (auto* v = r.get_if<0>()) {
        more = v->has_value();
        if (more) REQUIRE(**v == next++);
      }
    }
    CHECK(next == races);
    co_await sender;
  });
}

#if EDDY_POOL
constexpr int messages = 5000;  // each some dozens of races long

TEST_CASE("no message of another thread is lost to a receive that loses") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().rng_seed(1).build();
  auto [tx, rx] = mpsc::channel<int>(4);
  std::thread other([out = std::move(tx)]() mutable {
    for (int i = 0; i < messages; ++i) static_cast<void>(out.blocking_send(i));
  });
  rt.block_on([](mpsc::receiver<int> from) -> future<> {
    dice d(3);
    int next = 0;
    int rounds = 0;
    for (bool more = true; more || rounds < races; ++rounds) {
      auto r = co_await eddy::select(from.recv(), wait_turns(d.below(3)));
      if (auto* v = r.get_if<0>()) {
        more = more && v->has_value();
        if (more) REQUIRE(**v == next++);
      }
    }
    CHECK(next == messages);
  }(std::move(rx)));
  other.join();
}
#endif

future<> compete(std::shared_ptr<eddy::sync::semaphore> s, std::uint64_t seed, int& won) {
  dice d(seed);
  for (int i = 0; i < races / 4; ++i) {
    auto r = co_await eddy::select(s->acquire_many(static_cast<std::uint32_t>(1 + d.below(3))),
                                   wait_turns(d.below(4)));
    if (r.index() == 0) {
      ++won;
      co_await wait_turns(d.below(3));
    }
  }
}

TEST_CASE("no permit is lost to an acquire that loses") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().rng_seed(1).build();
  rt.block_on([]() -> future<> {
    auto s = std::make_shared<eddy::sync::semaphore>(3);
    int won = 0;
    std::vector<eddy::join_handle<>> tasks;
    for (std::uint64_t t = 0; t < 4; ++t) tasks.push_back(eddy::spawn(compete(s, t, won)));
    co_await eddy::join_all(tasks);
    CHECK(s->available_permits() == 3);
    CHECK(won > races / 10);
    CHECK(won < races);
  });
}

constexpr int connections = 2000;

future<> connect_all(eddy::net::socket_address where, std::vector<eddy::net::tcp_stream>& open) {
  dice d(5);
  for (int i = 0; i < connections; ++i) {
    open.push_back(co_await eddy::net::tcp_stream::connect(where));
    co_await wait_turns(d.below(20));
    if (open.size() == 50) open.erase(open.begin());
  }
}

TEST_CASE("no connection is lost to an accept that loses") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().rng_seed(1).event_interval(16).build();
  rt.block_on([]() -> future<> {
    auto listener = co_await eddy::net::tcp_listener::bind("127.0.0.1:0");
    std::vector<eddy::net::tcp_stream> open;
    open.reserve(50);
    auto clients = eddy::spawn(connect_all(listener.local_addr(), open));
    dice d(3);
    int accepted = 0;
    for (int race = 0; race < races || accepted < connections; ++race) {
      auto r = co_await eddy::select(listener.accept(), wait_turns(d.below(4)));
      if (r.index() == 0) ++accepted;
    }
    co_await clients;
    CHECK(accepted == connections);
  });
}

}  // namespace
