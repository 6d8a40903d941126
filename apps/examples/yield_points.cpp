// A long loop that lets other tasks run now and then.

#include <cstdio>

#include <eddy/eddy.hpp>

eddy::future<> count_turns(int& turns) {
  for (;; ++turns) co_await eddy::yield_now();  // one turn per poll
}

eddy::future<long> sum_up(int most, int yield_every) {
  long sum = 0;
  for (int i = 1; i <= most; ++i) {
    sum += i;
    if (i % yield_every == 0) co_await eddy::yield_now();
  }
  co_return sum;
}

eddy::future<> async_main() {
  int turns = 0;
  const eddy::abort_on_drop other(eddy::spawn(count_turns, std::ref(turns)));
  for (const int every : {2'000'000, 100'000, 1'000}) {  // never, too rarely, often enough
    turns = 0;
    const long sum = co_await sum_up(1'000'000, every);
    std::printf("a yield every %d: sum %ld, %s\n", every, sum,
                turns == 0    ? "the other task never ran"
                : turns < 100 ? "the other task ran now and then"
                              : "the other task hardly noticed");
  }
}

int main() { return eddy::run(async_main()); }
