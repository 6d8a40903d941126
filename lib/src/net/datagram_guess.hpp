#pragma once
// Whether the datagram that was just received is the only one there. Who answers questions gets them one at a time,
// and a call that only says EAGAIN would cost as much as the one that received; who is flooded gets the next one by
// the next call, and would have to wait for the loop's look in between. So a socket remembers what it was like.
//
// I1  A wrong guess loses nothing: readiness that is cleared too early comes back with the loop's next look, because
//     datagram sockets are watched level-triggered (runtime/edge_watch.hpp, I5).
// I2  A guess is checked: after `sure` datagrams that came alone in a row it is made, and each `often`-th time it is
//     not, so that a flood is noticed.
// I3  Several threads may receive at once: what they get wrong about each other is a guess that is worse.

#include <algorithm>
#include <atomic>
#include <cstdint>

#include <eddy/config.hpp>
#include <eddy/runtime/detail/readiness.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Over readiness::guess. Threads: I3.
class datagram_guess {
 public:
  explicit datagram_guess(std::atomic<std::uint8_t>& word) noexcept : word_(word) {}

  /// One was received. True: it was the only one, so clear readiness.
  bool was_only_one() noexcept {
    const unsigned before = word_.load(std::memory_order_relaxed);
    if ((before & unchecked) != 0) return keep(unchecked);  // the one before was not alone
    const unsigned alone = before + 1;
    if (alone <= sure) return keep(before | unchecked);
    if (alone == sure + often) return keep((sure - 1) | unchecked);  // I2
    keep(alone);
    return true;
  }
  /// There was none.
  void found_none() noexcept {
    const unsigned before = word_.load(std::memory_order_relaxed);
    if ((before & unchecked) != 0) keep(std::min((before & ~unchecked) + 1, sure));
  }

 private:
  static constexpr unsigned sure = 4;
  static constexpr unsigned often = 16;
  static constexpr unsigned unchecked = 0x80;  // one was received, and not yet asked for the next

  bool keep(unsigned now) noexcept {
    word_.store(static_cast<std::uint8_t>(now), std::memory_order_relaxed);
    return false;
  }

  std::atomic<std::uint8_t>& word_;  // how many came alone in a row, and `unchecked`
};

}}}  // namespace eddy::EDDY_ABI::detail
