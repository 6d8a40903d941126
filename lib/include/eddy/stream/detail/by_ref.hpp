#pragma once

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class S>
class [[nodiscard]] ref_stream : public stream_base<ref_stream<S>> {
 public:
  explicit ref_stream(S& s) noexcept : inner_(&s) {}
  next_polled<stream_value<S>> poll_next(context& cx) noexcept { return poll_stream(*inner_, cx); }
  bool is_terminated() const noexcept { return terminated(*inner_); }

 private:
  S* inner_;
};

}}}  // namespace eddy::EDDY_ABI::detail
