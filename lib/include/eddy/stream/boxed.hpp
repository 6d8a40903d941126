#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// Some stream of T, for where one type must stand for several: `std::move(s).boxed()`.
/// Errors: polled after it was moved from: misuse.
/// Cost: one allocation; a virtual call a poll.
template <class T>
class [[nodiscard]] boxed_stream : public stream_base<boxed_stream<T>> {
 public:
  template <stream S>
    requires(!std::is_same_v<S, boxed_stream> && std::is_same_v<stream_value<S>, T>)
  explicit boxed_stream(S&& s) : held_(std::make_unique<holder<S>>(std::move(s))) {}

  detail::next_polled<T> poll_next(context& cx) noexcept {
    return held_ != nullptr ? held_->poll_next(cx) : moved_from();
  }
  bool is_terminated() const noexcept { return held_ != nullptr && held_->is_terminated(); }

 private:
  struct base {
    virtual ~base() = default;
    virtual detail::next_polled<T> poll_next(context& cx) noexcept = 0;
    virtual bool is_terminated() const noexcept = 0;
  };
  template <class S>
  struct holder final : base {
    explicit holder(S&& s) : inner(std::move(s)) {}
    detail::next_polled<T> poll_next(context& cx) noexcept override {
      return detail::poll_stream(inner, cx);
    }
    bool is_terminated() const noexcept override { return detail::terminated(inner); }
    S inner;
  };
  static detail::next_polled<T> moved_from() noexcept {
    return detail::next_result<T>(unexpect,
                                  error(errc::misuse, "a boxed stream was polled after a move"));
  }

  std::unique_ptr<base> held_;
};

}}  // namespace eddy::EDDY_ABI
