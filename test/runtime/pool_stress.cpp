// A pool under everything at once: tasks that spawn, wait, are aborted, are dropped, wake each other, sleep, and talk
// over sockets that were made on other workers, and a pool that ends at any moment.

#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <random>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/net/tcp_listener.hpp>
#include <eddy/net/tcp_split.hpp>
#include <eddy/net/unix_stream.hpp>

#include "support/leak_check.hpp"
#include "support/long_run.hpp"

namespace {

using namespace std::chrono_literals;
using eddy::future;
using eddy::net::tcp_listener;
using eddy::net::tcp_read_half;
using eddy::net::tcp_stream;
using eddy::net::tcp_write_half;
using eddy::net::unix_stream;
namespace mpsc = eddy::sync::mpsc;

eddy::runtime pool_of(std::uint32_t n) {
  return eddy::runtime::builder().multi_loop().worker_threads(n).build();
}

/// Random numbers of one task.
struct dice {
  explicit dice(std::uint64_t seed) noexcept : state(seed * 2862933555777941757U + 3037000493U) {}
  std::uint32_t operator()(std::uint32_t n) noexcept {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>((state >> 33) % n);
  }
  std::uint64_t state;
};

future<> serve(unix_stream s) {
  std::array<std::byte, 64> bytes;
  for (;;) {
    const auto n = co_await eddy::attempt(s.read(eddy::io::buffer(bytes)));
    if (!n || *n == 0) co_return;
    auto sent = co_await eddy::attempt(s.write_all(eddy::io::const_buffer(bytes.data(), *n)));
    if (!sent) co_return;
  }
}

/// A few rounds over a socket pair whose ends are two tasks', which may be on any two workers.
future<> talk(dice d) {
  auto pair = unix_stream::pair();
  if (!pair) co_return;  // out of descriptors
  unix_stream mine = std::move(pair->first);
  auto server = eddy::spawn(serve, std::move(pair->second));
  std::array<std::byte, 64> bytes{};
  for (auto rounds = d(8) + 1; rounds > 0; --rounds) {
    const std::size_t n = d(64) + 1;
    auto sent = co_await eddy::attempt(mine.write_all(eddy::io::const_buffer(bytes.data(), n)));
    if (!sent) break;
    if (d(4) == 0) {
      auto quick = co_await eddy::attempt(
          eddy::timeout(std::chrono::microseconds(d(50)), mine.read(eddy::io::buffer(bytes))));
      static_cast<void>(quick);
    } else {
      auto got = co_await eddy::attempt(mine.read(eddy::io::buffer(bytes)));
      if (!got) break;
    }
  }
  if (d(3) == 0) server.abort();
  {
    auto gone = std::move(mine);
  }
  if (d(2) == 0) {
    auto end = co_await eddy::attempt(std::move(server));
    static_cast<void>(end);
  }
}

future<int> work(dice d, int depth) {
  int done = 1;
  for (auto steps = d(4); steps > 0; --steps) {
    switch (d(9)) {
      case 0:
        co_await eddy::yield_now();
        break;
      case 1:
        co_await eddy::sleep(std::chrono::microseconds(d(200)));
        break;
      case 2:
        if (depth > 0) eddy::spawn(work(dice(d.state), depth - 1));  // detached
        break;
      case 3: {
        if (depth == 0) break;
        auto h = eddy::spawn(work(dice(d.state), depth - 1));
        done += co_await h;
        break;
      }
      case 4: {
        if (depth == 0) break;
        auto h = eddy::spawn(work(dice(d.state), depth - 1));
        if (d(2) == 0) co_await eddy::yield_now();
        h.abort();
        auto r = co_await eddy::attempt(std::move(h));
        if (r) done += *r;
        break;
      }
      case 5: {
        auto chosen = co_await eddy::select(eddy::sleep(std::chrono::microseconds(d(100))),
                                            eddy::yield_now());
        static_cast<void>(chosen);
        break;
      }
      case 6: {
        auto [tx, rx] = mpsc::channel<int>(2);
        eddy::spawn(
            [](mpsc::sender<int> out, dice own) -> future<> {
              for (auto n = own(5); n > 0; --n) {
                auto sent = co_await eddy::attempt(out.send(1));
                if (!sent) co_return;
              }
            },
            std::move(tx), dice(d.state));
        while (auto v = co_await rx.recv()) done += *v;
        break;
      }
      case 7:
        if (depth > 0) co_await talk(dice(d.state));
        break;
      case 8: {
        auto h = eddy::spawn_local(
            [](dice own) -> future<int> {
              co_await eddy::sleep(std::chrono::microseconds(own(50)));
              co_return 1;
            },
            dice(d.state));
        done += co_await h;
        break;
      }
    }
  }
  co_return done;
}

TEST_CASE("random tasks on a pool end, and leave nothing") {
  for (int run = 0; run < test::rounds(60); ++run) {
    const test::leak_check leaks;
    auto rt = pool_of(static_cast<std::uint32_t>(run % 4 + 1));
    const auto seed = static_cast<std::uint64_t>(run);
    INFO("seed ", seed);
    std::atomic<int> ended{0};
    constexpr int tasks = 200;
    rt.block_on([&]() -> future<> {
      std::vector<eddy::join_handle<>> all;
      for (int i = 0; i < tasks; ++i)
        all.push_back(eddy::spawn(
            [](dice d, std::atomic<int>* count) -> future<> {
              co_await work(d, 3);
              count->fetch_add(1);
            },
            dice(seed * 1000 + static_cast<std::uint64_t>(i)), &ended));
      for (auto& h : all) co_await h;
    });
    CHECK(ended == tasks);
  }
}

TEST_CASE("a pool that ends at a random moment leaks nothing and does not hang") {
  for (int run = 0; run < test::rounds(60); ++run) {
    const test::leak_check leaks;
    dice d(static_cast<std::uint64_t>(run) + 77);
    auto rt = pool_of(d(4) + 1);
    for (int i = 0; i < 30; ++i) rt.spawn(work(dice(d.state + static_cast<std::uint64_t>(i)), 3));
    const auto moment = std::chrono::steady_clock::now() + std::chrono::microseconds(d(1500));
    while (std::chrono::steady_clock::now() < moment) std::this_thread::yield();
  }
}

TEST_CASE("threads outside spawn, wake, abort and drop while a pool works and ends") {
  for (int run = 0; run < test::rounds(20); ++run) {
    const test::leak_check leaks;
    std::vector<std::thread> threads;
    {
      auto rt = pool_of(3);
      for (int t = 0; t < 3; ++t)
        threads.emplace_back([h = rt.get_handle(), seed = run * 10 + t] {
          dice d(static_cast<std::uint64_t>(seed));
          std::vector<eddy::join_handle<int>> kept;
          for (int i = 0; i < 60; ++i) {
            auto one = h.spawn(work(dice(d.state), 2));
            if (d(3) == 0) one.abort();
            if (d(2) == 0) kept.push_back(std::move(one));
            if (d(5) == 0 && !kept.empty()) kept.erase(kept.begin());
            d(1);
          }
        });
      rt.block_on(work(dice(static_cast<std::uint64_t>(run)), 2));
    }
    for (auto& t : threads) t.join();
  }
}

/// Timers that are dropped, or given another time, on any worker in the moment in which their own one expires them.
future<> race_timers(dice d) {
  for (int i = 0; i < 50; ++i) {
    auto timer =
        std::make_unique<eddy::sleep_leaf>(eddy::sleep(std::chrono::microseconds(d(60) + 1)));
    auto chosen = co_await eddy::select(eddy::biased, *timer, eddy::yield_now());
    static_cast<void>(chosen);
    for (auto n = d(8); n > 0; --n) co_await eddy::yield_now();
    if (d(2) == 0) {
      timer->reset(eddy::clock::now() + std::chrono::microseconds(d(20)));
      co_await *timer;
    }
  }
}

TEST_CASE("a timer is dropped and reset on one worker while another one expires it") {
  for (int run = 0; run < test::rounds(5); ++run) {
    const test::leak_check leaks;
    auto rt = pool_of(4);
    rt.block_on([run]() -> future<> {
      std::vector<eddy::join_handle<>> all;
      for (int i = 0; i < 50; ++i)
        all.push_back(eddy::spawn(race_timers, dice(static_cast<std::uint64_t>(run * 100 + i))));
      for (auto& h : all) co_await h;
    });
  }
}

// ---- TCP streams, which a pool watches in a way of its own

unsigned char byte_at(std::size_t place) {
  return static_cast<unsigned char>(place * 7 + place / 251);
}

/// Reads in every way, and gives up now and then, until the end.
future<> read_in_order(tcp_read_half in, dice d, std::size_t total) {
  std::vector<unsigned char> bytes(64 << 10);
  std::size_t place = 0;
  for (std::size_t n = 1; n != 0;) {
    const auto some = std::span(bytes).first(1 + d(d(2) == 0 ? 16 : 64 << 10));
    const auto left = std::chrono::microseconds(d(200));
    auto got = eddy::result<std::size_t>(eddy::errc::elapsed);
    switch (d(4)) {
      case 0:
        got = co_await in.read(some);
        break;
      case 1:
        got = co_await eddy::attempt(eddy::timeout(left, in.read(some)));
        break;
      case 2:
        co_await in.readable();
        got = in.try_read(some);
        break;
      case 3:
        co_await in.peek(some);
        got = in.try_read(some);
        REQUIRE(got.has_value());
        break;
    }
    if (!got) continue;
    n = *got;
    bool right = true;
    for (std::size_t i = 0; i < n; ++i) right = right && some[i] == byte_at(place + i);
    REQUIRE(right);
    place += n;
    if (d(4) == 0) co_await eddy::yield_now();
  }
  CHECK(place == total);
}

future<> write_in_order(tcp_write_half out, dice d, std::size_t total) {
  std::vector<unsigned char> bytes(64 << 10);
  for (std::size_t place = 0; place < total;) {
    const auto n = std::min<std::size_t>(1 + d(d(2) == 0 ? 16 : 64 << 10), total - place);
    for (std::size_t i = 0; i < n; ++i) bytes[i] = byte_at(place + i);
    const auto some = std::span(bytes).first(n);
    const auto left = std::chrono::microseconds(d(200));
    auto put = eddy::result<std::size_t>(eddy::errc::elapsed);
    switch (d(4)) {
      case 0:
        put = co_await out.write(some);
        break;
      case 1:
        put = co_await eddy::attempt(eddy::timeout(left, out.write(some)));
        break;
      case 2:
        co_await out.writable();
        put = out.try_write(some);
        break;
      case 3:
        co_await out.write_all(some);
        put = n;
        break;
    }
    if (put) place += *put;
    if (d(4) == 0) co_await eddy::yield_now();
  }
}

/// Both ends of a connection; the other one may be that of somebody else who accepts at the same listener.
future<> two_ends(tcp_listener* at, dice d) {
  constexpr std::size_t total = 1 << 20;
  auto client = co_await tcp_stream::connect(at->local_addr());
  auto [server, peer] = co_await at->accept();
  auto [in, out] = std::move(client).into_split();
  auto [other_in, other_out] = std::move(server).into_split();
  std::vector<eddy::join_handle<>> all;
  all.push_back(eddy::spawn(read_in_order, std::move(in), dice(d.state), total));
  all.push_back(eddy::spawn(write_in_order, std::move(out), dice(d.state + 1), total));
  all.push_back(eddy::spawn(read_in_order, std::move(other_in), dice(d.state + 2), total));
  all.push_back(eddy::spawn(write_in_order, std::move(other_out), dice(d.state + 3), total));
  for (auto& h : all) co_await h;
}

TEST_CASE("many accept at one listener, and bytes come whole and in order, however stolen") {
  for (int run = 0; run < test::rounds(4); ++run) {
    const test::leak_check leaks;
    auto rt = pool_of(static_cast<std::uint32_t>(run % 3 + 2));
    rt.block_on([run]() -> future<> {
      auto listener = co_await tcp_listener::bind("127.0.0.1:0");
      std::vector<eddy::join_handle<>> all;
      for (int i = 0; i < 8; ++i)
        all.push_back(
            eddy::spawn(two_ends, &listener, dice(static_cast<std::uint64_t>(run * 100 + i))));
      for (auto& h : all) co_await h;
    });
  }
}

}  // namespace
