#pragma once

#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/signal/kind.hpp>
#include <eddy/signal/signal.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace signal {

namespace signal_detail {

class [[nodiscard]] shutdown_leaf {
 public:
  shutdown_leaf() noexcept = default;
  shutdown_leaf(shutdown_leaf&& other) noexcept
      : begun_(std::exchange(other.begun_, false)),
        interrupt_(std::move(other.interrupt_)),
        terminate_(std::move(other.terminate_)) {}
  shutdown_leaf& operator=(shutdown_leaf&&) = delete;
  ~shutdown_leaf();
  polled<result<kind>> poll(context& cx) noexcept;

 private:
  result<void> begin() noexcept;

  bool begun_ = false;
  eddy::detail::signal_listening_ptr interrupt_;
  eddy::detail::signal_listening_ptr terminate_;
};

}  // namespace signal_detail

/// Waits until the program is asked to end, by SIGINT (Ctrl-C) or SIGTERM; which of them it was. The next one of
/// either ends the program at once, by that signal, also when no loop runs any more and whoever else listens.
///
/// Asked once, asked for good: from then on every `shutdown()` in the process is ready at once.
/// Cancel safety: nothing is lost; a request that came while it waited counts. Where nobody waits in
/// `shutdown()`, signals do what they did before.
/// Threads: any runtime, any number of tasks.
/// Errors, Cost: as two of `signal`.
inline signal_detail::shutdown_leaf shutdown() noexcept { return {}; }

}}}  // namespace eddy::EDDY_ABI::signal
