#pragma once

#include <eddy/config.hpp>

struct uv_loop_s;

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A libuv loop as a host program has one, for the test kit, which does not see libuv.
class host_loop {
 public:
  host_loop();  // out of descriptors throws
  host_loop(const host_loop&) = delete;
  host_loop& operator=(const host_loop&) = delete;
  ~host_loop();

  uv_loop_s* native() noexcept { return loop_; }
  /// Waits for something and handles it.
  void turn() noexcept;
  /// After the guest has been detached. False: something is left in it.
  bool close() noexcept;

 private:
  uv_loop_s* loop_;
};

}}}  // namespace eddy::EDDY_ABI::detail
