#include "net/connect_race.hpp"

#include <utility>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

using net::socket_address;
using net::tcp_stream;

std::vector<socket_address> take_turns(const std::vector<socket_address>& addresses) {
  std::vector<socket_address> same, other, mixed;
  for (const auto& a : addresses)
    (a.is_v6() == addresses.front().is_v6() ? same : other).push_back(a);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (i < same.size()) mixed.push_back(same[i]);
    if (i < other.size()) mixed.push_back(other[i]);
  }
  return mixed;
}

connect_race::connect_race(std::vector<socket_address> addresses, std::chrono::milliseconds stagger)
    : addresses_(take_turns(addresses)), stagger_(stagger) {
  attempts_.reserve(addresses_.size());
}

polled<result<tcp_stream>> connect_race::poll(context& cx) noexcept {
  for (;;) {
    std::optional<tcp_stream> made;
    const outcome now = poll_attempts(cx, made);
    if (now == outcome::connected) return result<tcp_stream>(std::move(*made));
    if (begun_ == addresses_.size()) {
      if (running_ != 0) return pending;
      return result<tcp_stream>(std::move(last_));
    }
    if (now == outcome::waiting && pause_ && !pause_->poll(cx)) return pending;  // I2
    begin_next();
  }
}

connect_race::outcome connect_race::poll_attempts(context& cx,
                                                  std::optional<tcp_stream>& made) noexcept {
  auto now = outcome::waiting;
  for (auto& attempt : attempts_) {
    if (!attempt) continue;
    auto p = attempt->poll(cx);
    if (!p) continue;
    --running_;
    if (p->has_value()) {
      made.emplace(std::move(**p));
      attempts_.clear();  // closes the others
      running_ = 0;
      return outcome::connected;
    }
    last_ = std::move(*p).error();
    attempt.reset();
    now = outcome::failed;
  }
  return now;
}

void connect_race::begin_next() noexcept {
  attempts_.emplace_back(std::in_place, addresses_[begun_++]);
  ++running_;
  pause_.reset();
  if (begun_ < addresses_.size()) pause_.emplace(sleep(stagger_));
}

}}}  // namespace eddy::EDDY_ABI::detail
