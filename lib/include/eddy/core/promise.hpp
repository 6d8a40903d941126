#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/detail/cell.hpp>
#include <eddy/core/future.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// The receiving end of a cell, as a leaf.
template <class T>
class [[nodiscard]] cell_receiver {
 public:
  explicit cell_receiver(cell<T>* c) noexcept : cell_(c) {}
  cell_receiver(cell_receiver&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  cell_receiver& operator=(cell_receiver&&) = delete;
  ~cell_receiver() {
    if (cell_ == nullptr) return;
    cell_->abandon();
    cell_->release();
  }
  polled<result<T>> poll(context& cx) noexcept {
    if (!cell_->poll(cx)) return pending;
    if (!cx.proceed()) return pending;
    return or_failed_move<T, error>([this]() -> polled<result<T>> { return cell_->take(); });
  }

 private:
  cell<T>* cell_;
};

template <class T>
future<T> receive(cell_receiver<T> receiver) {
  co_return co_await receiver;
}

}  // namespace detail

/// The way in from callbacks and other threads: fulfil it once, and the future made from it is ready.
///
/// Threads: fulfilled from any thread, also while the runtime that awaits it is being dropped.
/// Errors: a promise dropped unfulfilled makes the future throw `broken_promise`; fulfilling twice and
/// asking for the future twice are misuse.
/// Without exceptions a future that fails ends the program: use a promise<result<T>>, and fulfil it.
/// What making the value throws is thrown by the await, not by `set_value`.
/// Cost: one block for the shared cell; the future is a frame of its own.
template <class T = void>
class promise {
 public:
  promise() : cell_(detail::cell<T>::make()) {}
  promise(promise&& other) noexcept
      : cell_(std::exchange(other.cell_, nullptr)),
        has_future_(std::exchange(other.has_future_, true)),
        fulfilled_(other.fulfilled_) {}
  promise& operator=(promise&& other) noexcept {
    std::swap(cell_, other.cell_);
    std::swap(has_future_, other.has_future_);
    std::swap(fulfilled_, other.fulfilled_);
    return *this;
  }
  ~promise() {
    if (cell_ != nullptr && !fulfilled_) set_error(error(errc::broken_promise, "promise"));
    if (cell_ != nullptr) cell_->release();  // nobody asked for the future
  }

  /// The future that gets the value. Once, before or after it is fulfilled.
  future<T> get_future() {
    if (has_future_) detail::misuse("promise::get_future was called twice");
    has_future_ = true;
    return detail::receive(
        detail::cell_receiver<T>(fulfilled_ ? std::exchange(cell_, nullptr) : cell_));
  }

  /// Fulfils with a value made from `args`; if making it throws, with that.
  template <class... A>
    requires(std::is_constructible_v<detail::void_to_unit<T>, A...> || std::is_reference_v<T>)
  void set_value(A&&... args) {
    check_unfulfilled();
    if constexpr (std::is_reference_v<T>)
      cell_->fill(std::addressof(args)...);
    else
      cell_->fill(std::forward<A>(args)...);
    give_up_cell();
  }
  /// Fulfils with a failure: the await throws what `e.raise()` throws.
  void set_error(error e) {
    check_unfulfilled();
    cell_->fail(std::move(e));
    give_up_cell();
  }
#if EDDY_EXCEPTIONS
  /// Fulfils with an exception, thrown as it is by the await.
  void set_exception(std::exception_ptr e) { set_error(error::from_exception(std::move(e))); }
#endif
  /// True when nobody waits for the value any more: work for it can be saved.
  bool is_abandoned() const noexcept { return cell_ != nullptr && cell_->is_abandoned(); }

 private:
  void check_unfulfilled() const {
    if (cell_ == nullptr || fulfilled_)
      detail::misuse("a promise was fulfilled twice, or after it was moved from");
  }
  // The sender's share goes; the receiver's is kept for get_future while nobody has it.
  void give_up_cell() noexcept {
    fulfilled_ = true;
    cell_->release();
    if (has_future_) cell_ = nullptr;
  }

  detail::cell<T>* cell_;
  bool has_future_ = false;
  bool fulfilled_ = false;
};

}}  // namespace eddy::EDDY_ABI
