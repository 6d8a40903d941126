#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <eddy/core/waker.hpp>
#include <eddy/stream/stream.hpp>

#include "support/mock_task.hpp"

namespace test {

/// A stream whose every step the test decides: it gives what is put in, fails, ends, and counts its polls. The
/// stream and the hand that feeds it are two ends, as of a channel.
template <class T>
class feed {
  struct state {
    std::vector<eddy::detail::next_result<T>> queue;
    eddy::waker who;
    int polls = 0;
    bool ended = false;
    bool dropped = false;
  };

 public:
  class stream : public eddy::stream_base<stream> {
   public:
    explicit stream(std::shared_ptr<state> s) noexcept : of_(std::move(s)) {}
    stream(stream&&) = default;
    stream& operator=(stream&&) = default;
    ~stream() {
      if (!of_) return;
      of_->dropped = true;
      of_->who.reset();
    }
    eddy::detail::next_polled<T> poll_next(eddy::context& cx) noexcept {
      ++of_->polls;
      if (!of_->queue.empty()) {
        auto first = std::move(of_->queue.front());
        of_->queue.erase(of_->queue.begin());
        return first;
      }
      if (of_->ended) return eddy::detail::end_of_stream<T>();
      cx.store_waker(of_->who);
      return eddy::pending;
    }

   private:
    std::shared_ptr<state> of_;
  };

  stream get() { return stream(of_); }
  void put(T v) { add(eddy::detail::next_result<T>(std::in_place, std::in_place, std::move(v))); }
  void fail(eddy::error e) { add(eddy::detail::next_result<T>(eddy::unexpect, std::move(e))); }
  void end() {
    of_->ended = true;
    std::exchange(of_->who, {}).wake();
  }
  int polls() const noexcept { return of_->polls; }
  bool dropped() const noexcept { return of_->dropped; }

 private:
  void add(eddy::detail::next_result<T> r) {
    of_->queue.push_back(std::move(r));
    std::exchange(of_->who, {}).wake();
  }
  std::shared_ptr<state> of_ = std::make_shared<state>();
};

/// Polls a stream by hand: what it answers.
template <class S>
auto step(mock_task& task, S& s) {
  auto leaf = s.next();
  return task.poll(leaf);
}

template <class S>
bool is_pending(mock_task& task, S& s) {
  return !step(task, s).is_ready();
}
/// The next value, which must be ready.
template <class S>
eddy::stream_value<S> value(mock_task& task, S& s) {
  auto p = step(task, s);
  REQUIRE(p.is_ready());
  REQUIRE(p->has_value());
  REQUIRE((*p)->has_value());
  return **std::move(*p);
}
template <class S>
bool at_end(mock_task& task, S& s) {
  auto p = step(task, s);
  return p.is_ready() && p->has_value() && !(*p)->has_value();
}
/// What it fails with, which must be ready.
template <class S>
eddy::error failure(mock_task& task, S& s) {
  auto p = step(task, s);
  REQUIRE(p.is_ready());
  REQUIRE_FALSE(p->has_value());
  return std::move(*p).error();
}
/// Values up to the end, all ready.
template <class S>
auto all(mock_task& task, S& s) {
  std::vector<eddy::stream_value<S>> values;
  for (;;) {
    auto p = step(task, s);
    REQUIRE(p.is_ready());
    REQUIRE(p->has_value());
    if (!(*p)->has_value()) return values;
    values.push_back(**std::move(*p));
  }
}

}  // namespace test
