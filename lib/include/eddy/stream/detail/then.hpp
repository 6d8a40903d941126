#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/stream/base.hpp>
#include <eddy/stream/detail/boxed_slot.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// What becomes of an awaited branch, as a value.
template <class Branch>
using branch_value = void_to_unit<std::remove_cvref_t<typename Branch::value_type>>;

/// Fills in `out` with what a branch came to.
template <class U, class T>
void give_outcome(next_polled<U>& out, result<T>&& r) noexcept {
  catching(out, [&] {
    if (!r.has_value())
      fail(out, std::move(r).error());
    else if constexpr (std::is_void_v<T>)
      give(out);
    else
      give(out, *std::move(r));
  });
}

template <class S, class F>
class [[nodiscard]] then_stream : public adapter<then_stream<S, F>, S> {
  using T = stream_value<S>;
  using X = std::invoke_result_t<F&, T>;
  static_assert(!std::is_reference_v<X> && awaitable<X>,
                "eddy: then wants f(v) to be a future or a leaf, by value");
  using work = branch<X>;
  using U = branch_value<work>;
  static_assert(std::is_same_v<typename work::error_type, error>, "eddy: wrap this in attempt");

 public:
  then_stream(S&& s, F f) : adapter<then_stream, S>(std::move(s)) { state_.emplace(std::move(f)); }
  next_polled<U> poll_next(context& cx) noexcept {
    next_polled<U> out(pending);
    if (!state_->running) start(out, cx);
    if (!state_->running) return out;
    auto p = state_->running->poll(cx);
    if (p) {
      give_outcome(out, std::move(*p));
      state_->running.reset();
    }
    return out;
  }
  bool is_terminated() const noexcept { return !state_->running && terminated(this->inner_); }

 private:
  // The callable does not move either: a coroutine that runs refers to the captures of the lambda it is.
  struct state {
    explicit state(F&& g) : f(std::move(g)) {}
    [[no_unique_address]] F f;
    std::optional<work> running;
  };

  void start(next_polled<U>& out, context& cx) noexcept {
    auto p = poll_stream(this->inner_, cx);
    if (is_end<T>(p))
      finish(out);
    else if (is_value<T>(p))
      catching(out, [&] { state_->running.emplace(call_with(state_->f, *std::move(**p))); });
    else if (p)
      fail(out, std::move(*p).error());
  }

  parked<state> state_;
};

}}}  // namespace eddy::EDDY_ABI::detail
