// expect: timeout of an operation with an error type of its own
#include <chrono>

#include <eddy/time/timeout.hpp>

struct leaf {
  eddy::polled<eddy::result<int, int>> poll(eddy::context&) noexcept { return 1; }
};

eddy::future<> work() { co_await eddy::timeout(std::chrono::seconds(1), leaf()); }
