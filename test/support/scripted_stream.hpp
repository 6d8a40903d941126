#pragma once

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/runtime/runtime.hpp>

namespace test {

/// A stream whose every step the test has written down: what a read gives, how much a write takes, when either is
/// not ready or fails. Without steps a read is at its end and a write takes all.
class scripted_stream {
  class step {
   public:
    enum class kind { data, wait, failure };
    step(kind what, std::string text, std::size_t limit, eddy::error e)
        : what_(what), text_(std::move(text)), limit_(limit), why_(std::move(e)) {}
    kind what_;
    std::string text_;
    std::size_t limit_;
    eddy::error why_;
  };
  using kind = step::kind;
  using answer = eddy::polled<eddy::result<std::size_t>>;

  class [[nodiscard]] read_leaf {
   public:
    read_leaf(scripted_stream& s, eddy::io::buffer to) noexcept : of_(&s), to_(to) {}
    answer poll(eddy::context& cx) noexcept { return of_->next_read(cx, to_); }

   private:
    scripted_stream* of_;
    eddy::io::buffer to_;
  };
  class [[nodiscard]] write_leaf {
   public:
    write_leaf(scripted_stream& s, eddy::io::const_buffer from) noexcept : of_(&s), from_(from) {}
    answer poll(eddy::context& cx) noexcept { return of_->next_write(cx, from_); }

   private:
    scripted_stream* of_;
    eddy::io::const_buffer from_;
  };

 public:
  scripted_stream& gives(std::string text) { return add(reads_, kind::data, std::move(text)); }
  scripted_stream& waits() { return add(reads_, kind::wait); }
  scripted_stream& fails(eddy::error e) { return add(reads_, kind::failure, {}, 0, std::move(e)); }
  scripted_stream& takes(std::size_t n) { return add(writes_, kind::data, {}, n); }
  scripted_stream& write_waits() { return add(writes_, kind::wait); }
  scripted_stream& write_fails(eddy::error e) {
    return add(writes_, kind::failure, {}, 0, std::move(e));
  }

  read_leaf read(eddy::io::buffer to) noexcept {
    ++reads;
    return read_leaf(*this, to);
  }
  write_leaf write(eddy::io::const_buffer from) noexcept {
    ++writes;
    return write_leaf(*this, from);
  }
  eddy::result<void> shutdown_write() noexcept {
    shut = true;
    return {};
  }

  std::string written;
  int reads = 0;  // operations begun
  int writes = 0;
  bool shut = false;

 private:
  scripted_stream& add(std::deque<step>& to, kind what, std::string text = {},
                       std::size_t limit = 0, eddy::error e = {}) {
    to.emplace_back(what, std::move(text), limit, std::move(e));
    return *this;
  }
  answer next_read(eddy::context& cx, eddy::io::buffer to) {
    if (reads_.empty()) return eddy::result<std::size_t>(0U);
    step& s = reads_.front();
    if (s.what_ == kind::wait) return wait(cx, reads_);
    if (s.what_ == kind::failure) return fail(reads_);
    const auto n = std::min(to.size(), s.text_.size());
    if (n != 0) std::memcpy(to.data(), s.text_.data(), n);
    s.text_.erase(0, n);
    if (s.text_.empty()) reads_.pop_front();
    return eddy::result<std::size_t>(n);
  }
  answer next_write(eddy::context& cx, eddy::io::const_buffer from) {
    auto n = from.size();
    if (!writes_.empty()) {
      const step s = writes_.front();
      if (s.what_ == kind::wait) return wait(cx, writes_);
      if (s.what_ == kind::failure) return fail(writes_);
      n = std::min(n, s.limit_);
      writes_.pop_front();
    }
    written.append(static_cast<const char*>(from.data()), n);
    return eddy::result<std::size_t>(n);
  }
  static answer wait(eddy::context& cx, std::deque<step>& steps) {
    steps.pop_front();
    cx.wake();
    return eddy::pending;
  }
  static answer fail(std::deque<step>& steps) {
    auto e = std::move(steps.front().why_);
    steps.pop_front();
    return eddy::result<std::size_t>(std::move(e));
  }

  std::deque<step> reads_;
  std::deque<step> writes_;
};

inline eddy::error broken() { return eddy::error::system(EIO, "script"); }

/// The text in a buffer.
inline std::string text(eddy::io::const_buffer b) {
  return std::string(static_cast<const char*>(b.data()), b.size());
}

/// Runs `f()`, a coroutine, on a runtime of its own; nothing may be left.
template <class F>
void run(F f) {
  eddy::runtime rt = eddy::runtime::builder().start_paused().build();
  rt.block_on(f());
}

}  // namespace test
