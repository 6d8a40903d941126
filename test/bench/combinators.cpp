// Select, join and timers: the workloads of the Tokio peer by the same names.

#include <chrono>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/sync/mpsc.hpp>

#include "workload.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

eddy::future<> in_a_task(eddy::future<> f) {
  auto h = eddy::spawn(std::move(f));
  co_await h;
}

[[gnu::noinline]] eddy::future<int> value(int i) {
  keep(i);
  co_return i;
}
[[gnu::noinline]] eddy::future<int> value_later(int i) {
  co_await eddy::yield_now();
  keep(i);
  co_return i;
}
template <auto F>
eddy::future<> join_10() {
  for (int i = 0; i < operations; ++i) {
    auto all = co_await eddy::join(F(i), F(i), F(i), F(i), F(i), F(i), F(i), F(i), F(i), F(i));
    keep(all);
  }
}

namespace mpsc = eddy::sync::mpsc;

eddy::future<> send_numbers(mpsc::sender<int> tx, int n) {
  for (int i = 0; i < n; ++i) {
    auto sent = co_await eddy::attempt(tx.send(i));
    if (!sent) break;
  }
}
eddy::future<> select_2ch() {
  auto [tx1, rx1] = mpsc::channel<int>(64);
  auto [tx2, rx2] = mpsc::channel<int>(64);
  eddy::spawn(send_numbers(std::move(tx1), operations / 2));
  eddy::spawn(send_numbers(std::move(tx2), operations / 2));
  for (int i = 0; i < operations - 2; ++i) {
    auto r = co_await eddy::select(rx1.recv(), rx2.recv());
    keep(r);
  }
}

// Of N channels one has a message, each in turn.
template <std::size_t... I>
eddy::future<> select_over(std::index_sequence<I...>) {
  std::vector<mpsc::sender<int>> tx;
  std::vector<mpsc::receiver<int>> rx;
  for (std::size_t i = 0; i < sizeof...(I); ++i) {
    auto [sending, receiving] = mpsc::channel<int>(1);
    tx.push_back(std::move(sending));
    rx.push_back(std::move(receiving));
  }
  for (int i = 0; i < operations; ++i) {
    static_cast<void>(tx[static_cast<std::size_t>(i) % sizeof...(I)].try_send(i));
    auto r = co_await eddy::select(rx[I].recv()...);
    keep(r);
  }
}
template <std::size_t N>
eddy::future<> select_of() {
  return in_a_task(select_over(std::make_index_sequence<N>()));
}

eddy::future<> timeout_recv() {
  auto [tx, rx] = mpsc::channel<int>(1);
  eddy::spawn(send_numbers(std::move(tx), operations));
  long sum = 0;
  for (;;) {
    auto v = co_await eddy::timeout(5s, rx.recv());
    if (!v) break;
    sum += *v;
  }
  keep(sum);
}

// Far behind its time: each tick is ready at once.
eddy::future<> interval_ticks() {
  auto every = eddy::interval_at(eddy::clock::now() - 10s, 1us);
  for (int i = 0; i < operations; ++i) {
    auto when = co_await every.tick();
    keep(when);
  }
}

constexpr int timers = 1'000'000;

// All armed by a first poll, then dropped.
eddy::future<> timers_cancel(int n) {
  std::vector<eddy::sleep_leaf> all;
  all.reserve(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i)
    all.push_back(eddy::sleep(10s + std::chrono::milliseconds(i * 7919LL % 60'000)));
  co_await eddy::poll_fn([&](eddy::context& cx) -> eddy::polled<> {
    bool none = true;
    for (auto& each : all) none = !each.poll(cx).is_ready() && none;
    keep(none);
    return eddy::ready;
  });
}
eddy::future<> timers_cancel_in_rounds(int n) {
  for (int done = 0; done < timers; done += n) co_await timers_cancel(n);
}

constexpr workload workloads[] = {
    {"ct/join_10_ready", operations, [] { return in_a_task(join_10<value>()); }},
    {"ct/join_10_yield", operations, [] { return in_a_task(join_10<value_later>()); }},
    {"ct/select_2ch", operations, [] { return in_a_task(select_2ch()); }},
    {"ct/select_of_2", operations, select_of<2>},
    {"ct/select_of_8", operations, select_of<8>},
    {"ct/select_of_64", operations, select_of<64>},
    {"ct/timeout_recv", operations, [] { return in_a_task(timeout_recv()); }},
    {"ct/interval_tick", operations, [] { return in_a_task(interval_ticks()); }},
    {"ct/timers_cancel_1k", timers, [] { return in_a_task(timers_cancel_in_rounds(1000)); }},
    {"ct/timers_cancel_10k", timers, [] { return in_a_task(timers_cancel_in_rounds(10'000)); }},
    {"ct/timers_cancel_100k", timers, [] { return in_a_task(timers_cancel_in_rounds(100'000)); }},
    {"ct/timers_cancel_1M", timers, [] { return in_a_task(timers_cancel_in_rounds(timers)); }},
};

}  // namespace

std::span<const workload> combinator_workloads() { return workloads; }

}  // namespace bench
