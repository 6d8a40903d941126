#pragma once
// Several addresses of one host tried side by side, the first connection wins: the second half of Happy Eyeballs
// (RFC 8305, sections 4 to 6). The first half, asking for IPv6 and IPv4 addresses apart, is the resolver's: there is
// one answer for both.
//
// I1  Attempts never move: there is room for all of them from the start.
// I2  While addresses are left, an attempt runs and the pause is being waited for.

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/net/tcp_stream.hpp>
#include <eddy/time/sleep.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class [[nodiscard]] connect_race {
 public:
  /// `addresses` are in the resolver's order, and not none.
  connect_race(std::vector<net::socket_address> addresses, std::chrono::milliseconds stagger);
  polled<result<net::tcp_stream>> poll(context& cx) noexcept;

 private:
  enum class outcome { waiting, failed, connected };
  outcome poll_attempts(context& cx, std::optional<net::tcp_stream>& made) noexcept;
  void begin_next() noexcept;

  std::vector<net::socket_address> addresses_;
  std::size_t begun_ = 0;                                  // of them
  std::vector<std::optional<net::tcp_connect>> attempts_;  // I1; empty: failed
  std::size_t running_ = 0;
  std::optional<sleep_leaf> pause_;
  std::chrono::milliseconds stagger_;
  error last_;
};

/// The families take turns, beginning with that of the first; within one the order stays.
std::vector<net::socket_address> take_turns(const std::vector<net::socket_address>& addresses);

}}}  // namespace eddy::EDDY_ABI::detail
