#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class A, class B>
class [[nodiscard]] chain_stream : public stream_base<chain_stream<A, B>> {
  using T = stream_value<A>;
  static_assert(std::is_same_v<T, stream_value<B>>,
                "eddy: a chain of two types of values: map one");

 public:
  chain_stream(A&& first, B&& second)
      : first_(std::in_place, std::move(first)), second_(std::move(second)) {}
  next_polled<T> poll_next(context& cx) noexcept {
    auto p = first_ ? poll_stream(*first_, cx) : poll_stream(second_, cx);
    if (first_ && is_end<T>(p)) {
      first_.reset();
      std::destroy_at(&p);
      ::new (static_cast<void*>(&p)) next_polled<T>(poll_stream(second_, cx));
    }
    return p;
  }
  bool is_terminated() const noexcept {
    return (!first_ || terminated(*first_)) && terminated(second_);
  }

 private:
  std::optional<A> first_;  // until it has ended
  B second_;
};

}}}  // namespace eddy::EDDY_ABI::detail
