#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class A, class B>
class [[nodiscard]] merge_stream : public stream_base<merge_stream<A, B>> {
  using T = stream_value<A>;
  static_assert(std::is_same_v<T, stream_value<B>>,
                "eddy: a merge of two types of values: map one");

 public:
  merge_stream(A&& a, B&& b) : a_(std::move(a)), b_(std::move(b)) {}
  next_polled<T> poll_next(context& cx) noexcept {
    a_first_ = !a_first_;
    auto p = a_first_ ? ask(a_, a_ended_, cx) : ask(b_, b_ended_, cx);
    if (!p) {  // made in place over what was pending
      if (a_first_)
        ::new (static_cast<void*>(&p)) next_polled<T>(ask(b_, b_ended_, cx));
      else
        ::new (static_cast<void*>(&p)) next_polled<T>(ask(a_, a_ended_, cx));
    }
    if (!p && a_ended_ && b_ended_) finish<T>(p);
    return p;
  }
  bool is_terminated() const noexcept {
    return (a_ended_ || terminated(a_)) && (b_ended_ || terminated(b_));
  }

 private:
  /// Pending also when it has ended.
  template <class S>
  static next_polled<T> ask(S& s, bool& ended, context& cx) noexcept {
    auto p = ended ? next_polled<T>(pending) : poll_stream(s, cx);
    if (is_end<T>(p)) {
      ended = true;
      std::destroy_at(&p);
      std::construct_at(&p, pending);
    }
    return p;
  }

  A a_;
  B b_;
  bool a_ended_ = false;
  bool b_ended_ = false;
  bool a_first_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
