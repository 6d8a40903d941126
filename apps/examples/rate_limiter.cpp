// Makes no more requests than an exchange allows, however many tasks want to make one.

#include <chrono>
#include <cstdio>

#include <eddy/eddy.hpp>

using namespace std::chrono_literals;

eddy::future<> request(eddy::rate_limiter& limit, int& made) {
  co_await limit.acquire();  // first come, first served
  ++made;                    // stands for the call
}

eddy::future<> async_main() {
  eddy::rate_limiter limit(10, 100ms);  // ten per 100 ms; after a pause ten at once
  const auto start = eddy::clock::now();
  int made = 0;

  co_await eddy::scope([&](eddy::task_scope& s) -> eddy::future<> {
    for (int i = 0; i < 50; ++i) s.spawn(request, std::ref(limit), std::ref(made));
    co_return;
  });

  // Ten at once, and forty at a hundred per second.
  const auto took = eddy::clock::now() - start;
  std::printf("%d requests, %s\n", made, took >= 400ms ? "not too fast" : "too fast");

  // try_acquire does not wait: it says no.
  std::printf("ten more at once? %s\n", limit.try_acquire(10) ? "yes" : "no");
}

int main() { return eddy::run(async_main()); }
