// eddy-pool-bench: how a pool of two behaves.
//   fairness   one task computes for 10 ms at a time and never waits; how late the tasks run that it spawned before
//   idle       nothing to do for 5 s: how often the process was woken, and its processor time

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <thread>
#include <vector>

#include <eddy/eddy.hpp>

namespace {

using namespace std::chrono_literals;
using stopwatch = std::chrono::steady_clock;

constexpr int rounds = 100;
constexpr int tasks_a_round = 100;

struct lateness {
  stopwatch::time_point spawned;
  stopwatch::time_point ran;
};

eddy::future<> note(lateness* where) {
  where->ran = stopwatch::now();
  co_return;
}

void compute_for(std::chrono::milliseconds time) {
  for (const auto end = stopwatch::now() + time; stopwatch::now() < end;) {
  }
}

/// The last task of each round is the one its worker would run next.
eddy::future<> hog(std::vector<lateness>& seen) {
  std::vector<eddy::join_handle<>> all;
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < tasks_a_round; ++i) {
      auto& one = seen.emplace_back();
      one.spawned = stopwatch::now();
      all.push_back(eddy::spawn(note(&one)));
    }
    compute_for(10ms);
    co_await eddy::yield_now();
  }
  for (auto& h : all) co_await h;
}

void report_fairness(eddy::runtime& rt) {
  std::vector<lateness> seen;
  seen.reserve(rounds * tasks_a_round);
  rt.block_on([&]() -> eddy::future<> { co_await eddy::spawn(hog(seen)); });
  std::vector<double> late;
  std::vector<double> last;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto us =
        std::chrono::duration<double, std::micro>(seen[i].ran - seen[i].spawned).count();
    late.push_back(us);
    if (i % tasks_a_round == tasks_a_round - 1) last.push_back(us);
  }
  std::sort(late.begin(), late.end());
  std::sort(last.begin(), last.end());
  std::printf(
      "fairness: %zu tasks behind a task of 10 ms: p50 %.1f us, p99 %.1f us, max %.1f us; "
      "the last spawned: p50 %.1f us, max %.1f us\n",
      late.size(), late[late.size() / 2], late[late.size() * 99 / 100], late.back(),
      last[last.size() / 2], last.back());
}

void report_idle(eddy::runtime& rt) {
  rt.block_on([]() -> eddy::future<> { co_await eddy::yield_now(); });
  std::this_thread::sleep_for(100ms);
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_SELF, &before);
  std::this_thread::sleep_for(5s);
  ::getrusage(RUSAGE_SELF, &after);
  const auto ms = [](const rusage& r) {
    return static_cast<double>(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e3 +
           static_cast<double>(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e3;
  };
  // This thread's own sleep is one.
  std::printf("idle: %ld wake-ups in 5 s, %.3f ms of processor time\n",
              after.ru_nvcsw - before.ru_nvcsw - 1, ms(after) - ms(before));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what != "fairness" && what != "idle") {
    std::fputs("eddy-pool-bench fairness | idle\n", stderr);
    return 2;
  }
  auto rt = eddy::runtime::builder().multi_loop().worker_threads(2).build();
  what == "idle" ? report_idle(rt) : report_fairness(rt);
  return 0;
}
