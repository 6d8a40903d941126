#pragma once

#include <coroutine>
#include <type_traits>
#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/branch.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// Ends the coroutine of `p`, whose frame is `frame`, with an error, as co_return would.
template <class Promise, class E>
void end_with(Promise& p, void* frame, E&& e) noexcept {
  p.return_value(unexpected(std::forward<E>(e)));
  p.ended(frame);
}

template <class U, class E, class Promise>
class or_return_future_awaiter : future_awaiter<result<U, E>> {
  using base = future_awaiter<result<U, E>>;

 public:
  explicit or_return_future_awaiter(future<result<U, E>>& f) noexcept : base(f) {}
  using base::await_ready;

  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiting) noexcept {
    future_access::promise(*this->future_).hand_error_to_parent = &hand;
    return base::await_suspend(awaiting);
  }
  U await_resume() {
    auto r = base::await_resume();
    if constexpr (!std::is_void_v<U>) return *std::move(r);
  }

 private:
  static void hand(result_promise_base& child) noexcept {
    auto& c = static_cast<coroutine_promise<result<U, E>>&>(child);
    const auto up = c.parent();
    auto& p = std::coroutine_handle<Promise>::from_address(up.address()).promise();
    p.return_value(unexpected(std::move(c.value()).error()));
    if (p.hand_error_to_parent == nullptr) p.ended(up.address());
  }
};

template <class Leaf, class Promise>
class or_return_leaf_awaiter {
  using outcome =
      detail::outcome<answer_of<Leaf>>;  // also of what keeps its result: or_return(attempt(x))
  using value_type = typename outcome::value_type;
  static_assert(outcome::fails, "eddy: or_return of an operation that cannot fail");

 public:
  explicit or_return_leaf_awaiter(Leaf& leaf) noexcept : leaf_(&leaf) {}
  static bool await_ready() noexcept { return false; }

  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiting) noexcept {
    frame_ = awaiting.address();
    chain& c = *promise().owner;
    ask(*c.cx);
    if (answer_.is_ready()) {
      if (answer_->has_value()) return false;
      fail();
      return true;
    }
    c.next = awaiting;
    c.leaf = this;
    c.step = &step;
    return true;
  }
  value_type await_resume() {
    if constexpr (!std::is_void_v<value_type>) return *std::move(*answer_);
  }

 private:
  static bool step(void* self, context& cx) noexcept {
    auto& a = *static_cast<or_return_leaf_awaiter*>(self);
    a.ask(cx);
    if (!a.answer_.is_ready()) return false;
    if (!a.answer_->has_value()) a.fail();
    return true;
  }
  void ask(context& cx) noexcept {
    // Made in place over the last answer, which was pending and owned nothing.
    ::new (static_cast<void*>(&answer_)) polled<answer_of<Leaf>>(leaf_->poll(cx));
  }
  void fail() noexcept { end_with(promise(), frame_, std::move(*answer_).error()); }
  Promise& promise() noexcept {
    return std::coroutine_handle<Promise>::from_address(frame_).promise();
  }

  Leaf* leaf_;
  void* frame_ = nullptr;
  polled<answer_of<Leaf>> answer_{pending};
};

template <class U, class E, class Promise>
class or_return_result_awaiter {
 public:
  explicit or_return_result_awaiter(result<U, E>& r) noexcept : result_(&r) {}
  bool await_ready() const noexcept { return result_->has_value(); }
  template <class P>
  void await_suspend(std::coroutine_handle<P> awaiting) noexcept {
    auto& p = std::coroutine_handle<Promise>::from_address(awaiting.address()).promise();
    end_with(p, awaiting.address(), std::move(*result_).error());
  }
  U await_resume() {
    if constexpr (!std::is_void_v<U>) return *std::move(*result_);
  }

 private:
  result<U, E>* result_;
};

template <class Op>
struct or_return_operation {
  Op* operation;

  template <class Promise>
  auto awaiter() {
    static_assert(std::is_base_of_v<result_promise_base, Promise>,
                  "eddy: co_await or_return(x) needs a coroutine that returns future<result<T>>");
    return make<Promise>(*operation);
  }

 private:
  template <class Promise, class U, class E>
  static auto make(future<result<U, E>>& f) {
    if (!f.valid()) awaited_empty_future();
    return or_return_future_awaiter<U, E, Promise>(f);
  }
  template <class Promise, class U>
  static auto make(future<U>& f) {
    static_assert(!std::is_same_v<future<U>, future<U>>,
                  "eddy: or_return wants a future<result<T>>; of a future that throws: "
                  "or_return(attempt(f()))");
    return future_awaiter<U>(f);
  }
  template <class Promise, class U, class E>
  static auto make(result<U, E>& r) {
    return or_return_result_awaiter<U, E, Promise>(r);
  }
  template <class Promise, pollable Leaf>
  static auto make(Leaf& leaf) {
    return or_return_leaf_awaiter<Leaf, Promise>(leaf);
  }
};

}  // namespace detail

/// Rust's `?`: in a coroutine that returns `future<result<T>>`, `co_await eddy::or_return(op)` is the
/// value of `op`, or the coroutine ends there, as by co_return, with op's error. `op` is a
/// `future<result<U>>` (as an rvalue), a leaf that can fail, or a plain `result<U>`. A `future<U>` reports
/// failure by throwing: `or_return(attempt(f()))`.
///
/// Catch blocks are not entered: it is a return, not a throw. Locals, then parameters are destroyed
/// before the awaiting coroutine goes on.
/// Cancel safety: that of `op`.
/// Cost: nothing while all goes well; constant stack however many levels hand an error up.
template <class Op>
  requires(detail::is_future_v<Op> || is_result_v<std::remove_cvref_t<Op>> || pollable<Op>)
detail::or_return_operation<std::remove_reference_t<Op>> or_return(Op&& op) noexcept {
  return {&op};
}

}}  // namespace eddy::EDDY_ABI
