#include <chrono>
#include <cstdio>
#include <eddy/eddy.hpp>

using namespace std::chrono_literals;

eddy::future<int> answer() {
  co_await eddy::sleep(1ms);
  co_return 42;
}

eddy::future<> async_main() {
  auto task = eddy::spawn(answer());
  int value = co_await task;
  std::printf("%d\n", value);
}

int main() { return eddy::run(async_main()); }
