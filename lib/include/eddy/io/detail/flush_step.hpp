#pragma once

#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/detail/step.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// The flush of a writer, if it has one, as a step of a wrapping stream's leaf; without one it has ended at once.
template <class W>
class flush_step {
 public:
  static constexpr bool can_flush = false;
  static bool running() noexcept { return false; }
  static polled<result<void>> poll(context&, W&) noexcept { return result<void>(); }
};

template <class W>
  requires requires(W& w) {
    { w.flush() } -> awaitable;
  }
class flush_step<W> {
 public:
  static constexpr bool can_flush = true;
  bool running() const noexcept { return flush_.running(); }
  polled<result<void>> poll(context& cx, W& to) noexcept {
    auto p = flush_.poll(cx, [&] { return to.flush(); });
    if (!p) return pending;
    if (!p->has_value()) return result<void>(to_error(std::move(*p).error()));
    return result<void>();
  }

 private:
  step<decltype(std::declval<W&>().flush())> flush_;
};

}}}  // namespace eddy::EDDY_ABI::detail
