#pragma once

#include <optional>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/branch.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// An operation on the inner stream that is begun when it is needed, and again when it has ended: what the
/// leaves of wrapping streams are made of.
template <class Op>
class step {
 public:
  step() noexcept = default;
  step(step&&) noexcept {}  // a leaf moves only before its first poll, when nothing has begun

  bool running() const noexcept { return op_.has_value(); }
  /// Drops what runs.
  void reset() noexcept { op_.reset(); }
  /// Polls what runs, after beginning `make()` if nothing does.
  template <class Make>
  auto poll(context& cx, Make make) noexcept {
    if (!op_) op_.emplace(make());
    auto p = op_->poll(cx);
    if (p) op_.reset();
    return p;
  }

 private:
  std::optional<branch<Op>> op_;
};

}}}  // namespace eddy::EDDY_ABI::detail
