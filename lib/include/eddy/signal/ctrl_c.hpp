#pragma once

#include <optional>
#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/signal/signal.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace signal {

namespace signal_detail {

class [[nodiscard]] ctrl_c_leaf {
 public:
  ctrl_c_leaf() noexcept = default;
  polled<result<void>> poll(context& cx) noexcept;

 private:
  std::optional<listener> listener_;
};

}  // namespace signal_detail

/// Waits for a Ctrl-C (SIGINT), from its first poll on: `co_await select(serve(), signal::ctrl_c())`.
///
/// Once it is ready or dropped, and nobody else listens, the next Ctrl-C ends the program as ever. To hear of
/// several, keep one `signal(kind::interrupt())`.
/// Cancel safety: a Ctrl-C that comes when it has been dropped is not heard of.
/// Errors, Cost: as `signal`.
inline signal_detail::ctrl_c_leaf ctrl_c() noexcept { return {}; }

}}}  // namespace eddy::EDDY_ABI::signal
