// expect: only a future or a leaf \(poll\(context&\) noexcept
#include <eddy/core/future.hpp>

struct leaf {
  eddy::polled<> poll(eddy::context&) { return eddy::ready; }
};

eddy::future<> work() { co_await leaf(); }
