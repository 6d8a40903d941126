#pragma once

#include <memory>
#include <optional>
#include <string>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/future.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/fs/watch.hpp>

// Where a watcher's changes come from: watch_linux.cpp has inotify behind the reactor's readiness, which is what
// uv_fs_event is made of there, with names and moves told apart and no handle that the loop would have to close;
// watch_portable.cpp looks at the path again and again.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class watch_source {
 public:
  virtual ~watch_source() = default;
  /// The next change; nothing: what was watched is gone.
  virtual polled<result<std::optional<fs::watch_event>>> poll(context& cx) noexcept = 0;

  static future<result<std::unique_ptr<watch_source>>> open(std::string path);

 protected:
  watch_source() = default;
};

}}}  // namespace eddy::EDDY_ABI::detail
