// What eddy's operations cost. `eddy-bench [NAME]` times every workload whose name contains NAME; names,
// shapes, counts and output are those of the Tokio peer (peers/tokio/src/bin/micro.rs), so that `run` can lay
// two columns side by side. `eddy-bench mem` measures sleeping tasks (peers/tokio/src/bin/mem.rs);
// `eddy-bench run NAME TIMES` only runs a workload and prints how many operations one run is.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "workload.hpp"

namespace {

using bench::keep;
using bench::operations;
using bench::workload;

using namespace std::chrono_literals;
using stopwatch = std::chrono::steady_clock;

double nanoseconds_since(stopwatch::time_point start) {
  return std::chrono::duration<double, std::nano>(stopwatch::now() - start).count();
}

// ---- ct: workloads on one current_thread runtime each

eddy::future<int> leaf(int i) { co_return i; }
[[gnu::noinline]] eddy::future<int> leaf_behind_a_call(int i) { co_return i; }

eddy::future<> yields(int n) {
  for (int i = 0; i < n; ++i) co_await eddy::yield_now();
}

eddy::future<> spawn_join() {
  std::vector<eddy::join_handle<int>> handles;
  handles.reserve(operations);
  for (int i = 0; i < operations; ++i) handles.push_back(eddy::spawn(leaf(i)));
  long sum = 0;
  for (auto& h : handles) {
    auto one = std::move(h);  // as Rust's loop: each handle goes as it is awaited
    sum += co_await one;
  }
  keep(sum);
}

eddy::future<> spawn_await_each() {
  for (int i = 0; i < operations; ++i) {
    auto h = eddy::spawn(leaf(i));
    int value = co_await h;
    keep(value);
  }
}

eddy::future<> yield_1task() {
  auto h = eddy::spawn(yields(operations));
  co_await h;
}

eddy::future<> yield_1000tasks() {
  std::vector<eddy::join_handle<>> handles;
  for (int i = 0; i < 1000; ++i) handles.push_back(eddy::spawn(yields(operations / 1000)));
  for (auto& h : handles) {
    auto one = std::move(h);
    co_await one;
  }
}

eddy::future<> await_ready() {
  long sum = 0;
  for (int i = 0; i < operations; ++i) sum += co_await leaf_behind_a_call(i);
  keep(sum);
}

// The counterpart of std::future::ready: a leaf that has its value.
struct ready_leaf {
  explicit ready_leaf(int v) noexcept : value(v) {}
  eddy::polled<int> poll(eddy::context&) noexcept { return value; }
  int value;
};

eddy::future<> timeouts_of_ready_leaves() {
  for (int i = 0; i < operations; ++i) {
    int value = co_await eddy::timeout(5s, ready_leaf(i));
    keep(value);
  }
}

eddy::future<> timeouts_of_ready_coroutines() {
  for (int i = 0; i < operations; ++i) {
    int value = co_await eddy::timeout(5s, leaf_behind_a_call(i));
    keep(value);
  }
}

eddy::future<> timeouts_of_yields() {
  for (int i = 0; i < operations; ++i) co_await eddy::timeout(5s, eddy::yield_now());
}

eddy::future<> in_a_task(eddy::future<> f) {
  auto h = eddy::spawn(std::move(f));
  co_await h;
}

eddy::future<> sleeper(std::chrono::milliseconds d) { co_await eddy::sleep(d); }

eddy::future<> sleep_100k_concurrent() {
  std::vector<eddy::join_handle<>> handles;
  handles.reserve(operations);
  for (int i = 0; i < operations; ++i)
    handles.push_back(eddy::spawn(sleeper(std::chrono::milliseconds(i % 100))));
  for (auto& h : handles) {
    auto one = std::move(h);
    co_await one;
  }
}

constexpr int blocking_jobs = 2000;

eddy::future<> spawn_blocking_each() {
  for (int i = 0; i < blocking_jobs; ++i) {
    auto h = eddy::spawn_blocking([](int x) { return x; }, i);
    int value = co_await h;
    keep(value);
  }
}

constexpr workload workloads[] = {
    {"ct/spawn_join", operations, spawn_join},
    {"ct/spawn_await_each", operations, spawn_await_each},
    {"ct/yield_1task", operations, yield_1task},
    {"ct/yield_1000tasks", operations, yield_1000tasks},
    {"ct/await_ready", operations, await_ready},
    {"ct/timeout_ready", operations, [] { return in_a_task(timeouts_of_ready_leaves()); }},
    {"ct/timeout_ready_coroutine", operations,
     [] { return in_a_task(timeouts_of_ready_coroutines()); }},
    {"ct/timeout_yield", operations, [] { return in_a_task(timeouts_of_yields()); }},
    {"ct/sleep_100k_concurrent", operations, sleep_100k_concurrent},
    {"ct/spawn_blocking_each", blocking_jobs, spawn_blocking_each},
};

// One run to warm up, seven that count.
template <class Run>
void report(std::string_view name, int count, Run run) {
  run();
  std::vector<double> costs;
  for (int i = 0; i < 7; ++i) {
    const auto start = stopwatch::now();
    run();
    costs.push_back(nanoseconds_since(start) / count);
  }
  std::sort(costs.begin(), costs.end());
  std::printf("%-34.*s %10.1f ns/op  (min %.1f max %.1f)\n", static_cast<int>(name.size()),
              name.data(), costs[3], costs.front(), costs.back());
  std::fflush(stdout);
}
void report(const workload& w) {
  eddy::runtime rt;
  report(w.name, w.count, [&] { rt.block_on(w.make()); });
}

#if EDDY_POOL
// The same on two workers, by another name; and what only a pool has.
void report_on_pool(const workload& w, std::string_view wanted) {
  const auto name = "mt2" + std::string(w.name.substr(w.name.find('/')));
  if (name.find(wanted) == std::string::npos) return;
  eddy::runtime rt = eddy::runtime::builder().multi_loop().worker_threads(2).build();
  report(name, w.count, [&] { rt.block_on(w.make()); });
}
void report(const bench::pool_workload& w) {
  eddy::runtime rt = eddy::runtime::builder().multi_loop().worker_threads(2).build();
  report(w.name, w.count, [&] { w.run(rt); });
}
#endif

// ---- how late an idle loop wakes

constexpr const char* lateness_name = "ct/sleep_200us_lateness";

eddy::future<std::vector<double>> latenesses() {
  constexpr auto nap = 200us;
  std::vector<double> late;
  for (int i = 0; i < 501; ++i) {
    const auto due = stopwatch::now() + nap;
    co_await eddy::sleep(nap);
    late.push_back(nanoseconds_since(due));
  }
  co_return late;
}

void report_lateness() {
  eddy::runtime rt;
  auto late = rt.block_on(latenesses());
  std::sort(late.begin(), late.end());
  std::printf("%-34s %10.1f ns late  (min %.1f max %.1f)\n", lateness_name, late[late.size() / 2],
              late.front(), late.back());
}

// ---- mem: tasks asleep

long resident_kb() {
  std::FILE* f = std::fopen("/proc/self/status", "r");
  if (f == nullptr) return 0;
  long kb = 0;
  char line[256];
  while (std::fgets(line, sizeof line, f) != nullptr)
    if (std::sscanf(line, "VmRSS: %ld", &kb) == 1) break;
  std::fclose(f);
  return kb;
}

eddy::future<> sleep_an_hour() { co_await eddy::sleep(1h); }

// All spawned so far have gone to sleep.
eddy::future<> all_asleep() {
  for (int i = 0; i < 2; ++i) co_await eddy::yield_now();
}

void start_sleepers(int n) {
  for (int i = 0; i < n; ++i) eddy::spawn(sleep_an_hour());
}

// What one more costs, to start and to end, while so many sleep: median of rounds of 1000.
eddy::future<double> cost_of_one_more() {
  constexpr int round = 1000;
  std::vector<double> costs;
  std::vector<eddy::join_handle<>> handles;
  handles.reserve(round);
  for (int i = 0; i < 101; ++i) {
    const auto start = stopwatch::now();
    for (int k = 0; k < round; ++k) handles.push_back(eddy::spawn(sleep_an_hour()));
    co_await all_asleep();
    for (auto& h : handles) h.abort();
    handles.clear();
    co_await all_asleep();
    costs.push_back(nanoseconds_since(start) / round);
  }
  std::sort(costs.begin(), costs.end());
  co_return costs[costs.size() / 2];
}

eddy::future<> sleeping_tasks() {
  constexpr int many = 1'000'000;
  co_await eddy::yield_now();
  const long before = resident_kb();
  std::printf("start rss %ld kB\n", before);
  const auto start = stopwatch::now();
  start_sleepers(many);
  co_await all_asleep();
  const double each = nanoseconds_since(start) / many;
  std::printf("1M sleeping tasks: %ld B/task, %.0f ns/task\n",
              (resident_kb() - before) * 1024 / many, each);
}

eddy::future<> one_more_of_ever_more() {
  int asleep = 0;
  for (const int n : {1000, 10'000, 100'000, 1'000'000}) {
    start_sleepers(n - asleep);
    asleep = n;
    co_await all_asleep();
    const double cost = co_await cost_of_one_more();
    std::printf("one more of %d sleeping tasks: %.1f ns\n", n, cost);
  }
}

void report_memory() {
  {
    eddy::runtime rt;
    rt.block_on(sleeping_tasks());
  }
  eddy::runtime rt;
  rt.block_on(one_more_of_ever_more());
}

// ---- run: one workload, so often and no more; what instructions.py counts

int run_workload(std::string_view name, int times) {
  for (const std::span<const workload> list :
       {bench::sync_workloads(), bench::combinator_workloads(), bench::io_workloads(),
        std::span<const workload>(workloads)})
    for (const workload& w : list)
      if (w.name == name) {
        eddy::runtime rt = eddy::runtime::builder().rng_seed(1).build();
        for (int i = 0; i < times; ++i) rt.block_on(w.make());
        std::printf("%d\n", w.count);
        return 0;
      }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view wanted = argc > 1 ? argv[1] : "";
  if (wanted == "mem") {
    report_memory();
    return 0;
  }
  if (wanted == "run" && argc == 4) return run_workload(argv[2], std::atoi(argv[3]));
  if (argc > 2 && argv[2] == std::string_view("threads")) std::thread([] {}).join();
  for (const std::span<const workload> list :
       {bench::sync_workloads(), bench::combinator_workloads(), bench::io_workloads(),
        bench::fs_workloads(), std::span<const workload>(workloads)})
    for (const workload& w : list)
      if (w.name.find(wanted) != std::string_view::npos) report(w);
#if EDDY_POOL
  for (const std::span<const workload> list :
       {bench::sync_workloads(), std::span<const workload>(workloads)})
    for (const workload& w : list) report_on_pool(w, wanted);
  for (const auto& w : bench::pool_workloads())
    if (w.name.find(wanted) != std::string_view::npos) report(w);
#endif
  if (std::string_view(lateness_name).find(wanted) != std::string_view::npos) report_lateness();
  return 0;
}
