#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/detail/branch_set.hpp>
#include <eddy/stream/base.hpp>
#include <eddy/stream/detail/then.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class S>
class [[nodiscard]] buffered_stream : public stream_base<buffered_stream<S>> {
  using X = stream_value<S>;
  static_assert(awaitable<X>, "eddy: buffered() is for a stream of futures or leaves");
  using set = branch_set<X>;
  using T = typename set::value_type;
  using U = branch_value<set>;

 public:
  buffered_stream(S&& s, std::size_t most)
      : inner_(std::make_unique<S>(std::move(s))), most_(most) {}
  next_polled<U> poll_next(context& cx) noexcept {
    next_polled<U> out(pending);
    catching(out, [&] { fill(cx); });
    while (!out && !running_.empty()) {
      auto ended = running_.poll_next(cx);
      if (!ended) break;
      catching(out, [&] { line_[(*ended)->key - first_].emplace(std::move((*ended)->outcome)); });
    }
    if (!out && !line_.empty() && line_.front()) {
      give_outcome(out, *std::move(line_.front()));
      line_.pop_front();
      ++first_;
    } else if (!out && line_.empty() && ended_) {
      finish(out);
    }
    return out;
  }
  S& inner() & noexcept { return *inner_; }
  const S& inner() const& noexcept { return *inner_; }
  S&& inner() && noexcept { return std::move(*inner_); }
  bool is_terminated() const noexcept { return line_.empty() && (ended_ || terminated(*inner_)); }

 private:
  /// Starts as many as may run.
  void fill(context& cx) {
    while (!ended_ && line_.size() < most_) {
      auto p = poll_stream(*inner_, cx);
      if (!p) return;
      if (is_end<X>(p)) {
        ended_ = true;
      } else if (is_value<X>(p)) {
        start(*std::move(**p));
      } else {
        line_.emplace_back(std::in_place, unexpect, std::move(*p).error());
      }
    }
  }

  void start(X&& work) {
    auto& place = line_.emplace_back();
    next_polled<unit> failed(pending);
    catching(failed, [&] { running_.insert(first_ + line_.size() - 1, std::move(work)); });
    if (failed) place.emplace(unexpect, std::move(*failed).error());
  }

  // Does not move: the futures may be coroutines of a lambda in there, and refer to its captures.
  std::unique_ptr<S> inner_;
  std::size_t most_;
  set running_;                                // by their number, counted from the first
  std::deque<std::optional<result<T>>> line_;  // in their order: what they came to, if they have
  std::size_t first_ = 0;                      // the number of the first in the line
  bool ended_ = false;
};

}}}  // namespace eddy::EDDY_ABI::detail
