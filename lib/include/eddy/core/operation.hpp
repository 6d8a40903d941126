#pragma once

#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/core/future.hpp>
#include <eddy/core/poll.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// An operation of several steps, lazy like a future: `co_await` gives its value or throws why not,
/// `attempt` gives a `result<T>` and no exception is thrown on the way (nor needed: builds without
/// exceptions have the same operations).
template <class T>
class [[nodiscard("eddy: an operation does nothing until it is awaited")]] operation {
 public:
  explicit operation(future<result<T>> steps) : steps_(std::move(steps)) {}

  polled<result<T>> poll(context& cx) noexcept {
    auto p = steps_.poll(cx);
    if (!p) return pending;
    if (!p->has_value()) return result<T>(unexpect, std::move(*p).error());
    return std::move(**p);
  }

 private:
  detail::branch<future<result<T>>> steps_;
};

}}  // namespace eddy::EDDY_ABI
