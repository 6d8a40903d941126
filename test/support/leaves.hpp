#pragma once

#include <doctest/doctest.h>

#include <utility>

#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/waker.hpp>

// Leaves whose every step the test decides.

namespace test {

/// Pending until it is opened. Its leaf, `gate.wait()`, says by `waiting()` when it is gone.
class gate {
 public:
  class [[nodiscard]] leaf {
   public:
    explicit leaf(gate& g) noexcept : gate_(&g) {}
    leaf(leaf&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    ~leaf() {
      if (started_ && --gate_->waiting_ == 0) gate_->waker_.reset();
    }
    eddy::polled<> poll(eddy::context& cx) noexcept {
      ++gate_->polls_;
      if (!std::exchange(started_, true)) ++gate_->waiting_;
      if (gate_->open_) return eddy::ready;
      cx.store_waker(gate_->waker_);
      return eddy::pending;
    }

   private:
    gate* gate_;
    bool started_ = false;
  };

  gate() = default;
  gate(const gate&) = delete;
  ~gate() { CHECK_MESSAGE(waiting_ == 0, "a leaf outlived its gate"); }

  leaf wait() noexcept { return leaf(*this); }
  void open() noexcept {
    open_ = true;
    std::move(waker_).wake();
  }
  void close() noexcept { open_ = false; }
  /// Wakes without opening.
  void wake() const noexcept { waker_.wake(); }
  int polls() const noexcept { return polls_; }
  /// Leaves that were polled and are alive.
  int waiting() const noexcept { return waiting_; }

 private:
  eddy::waker waker_;
  bool open_ = false;
  int polls_ = 0;
  int waiting_ = 0;
};

/// Pending `n` times, waking itself each time, then `value`.
template <class T>
class [[nodiscard]] after {
 public:
  after(int n, T value) : left_(n), value_(std::move(value)) {}
  eddy::polled<T> poll(eddy::context& cx) noexcept {
    if (left_-- == 0) return eddy::polled<T>(std::move(value_));
    cx.wake();
    return eddy::pending;
  }

 private:
  int left_;
  T value_;
};

/// The same without a value.
class [[nodiscard]] pass {
 public:
  explicit pass(int n) noexcept : left_(n) {}
  eddy::polled<> poll(eddy::context& cx) noexcept {
    if (left_-- == 0) return eddy::ready;
    cx.wake();
    return eddy::pending;
  }

 private:
  int left_;
};

}  // namespace test
