#include "runtime/host_loop.hpp"

#include <uv.h>

#include <eddy/base/error.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

host_loop::host_loop() : loop_(new uv_loop_t) {
  const int rc = uv_loop_init(loop_);
  if (rc == 0) return;
  delete loop_;
  error::system(rc, "uv_loop_init").raise();
}

// One that could not be closed stays: its handles point at it.
host_loop::~host_loop() {
  if (loop_ != nullptr) close();
}

void host_loop::turn() noexcept { uv_run(loop_, UV_RUN_ONCE); }

bool host_loop::close() noexcept {
  uv_run(loop_, UV_RUN_NOWAIT);  // what the guest has closed
  auto* const loop = loop_;
  loop_ = nullptr;
  if (uv_loop_close(loop) != 0) return false;
  delete loop;
  return true;
}

}}}  // namespace eddy::EDDY_ABI::detail
