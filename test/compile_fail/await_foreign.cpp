// expect: only a future or a leaf \(poll\(context&\) noexcept -> polled<T>\) can be awaited in an eddy coroutine; from_callback
#include <coroutine>

#include <eddy/core/future.hpp>

eddy::future<> work() { co_await std::suspend_always(); }
