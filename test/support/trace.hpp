#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace test {

/// What happened, in order: words with a blank behind each. A test clears it at its beginning.
inline std::string& trace() {
  static std::string text;
  return text;
}
inline std::string take_trace() { return std::exchange(trace(), {}); }
inline void say(const std::string& word) { trace() += word + ' '; }

/// Says "~name" when it dies; what was moved from dies silently. Not an aggregate: g++ 12 destroys those twice inside
/// a co_await expression.
class note {
 public:
  explicit note(std::string name) : name_(std::move(name)) { ++live_; }
  note(note&& other) noexcept : name_(std::exchange(other.name_, {})) { ++live_; }
  note& operator=(note&& other) noexcept {
    std::swap(name_, other.name_);
    return *this;
  }
  ~note() {
    --live_;
    if (!name_.empty()) say("~" + name_);
  }
  const std::string& name() const noexcept { return name_; }
  /// Objects alive, moved-from ones too.
  static std::int64_t live() noexcept { return live_; }

 private:
  static inline std::int64_t live_ = 0;
  std::string name_;
};

}  // namespace test
