#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <eddy/base/detail/descriptor.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/net/address.hpp>
#include <eddy/net/stream_socket.hpp>
#include <eddy/runtime/detail/readiness.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

class resolver;
class tcp_connect;
template <class Stream>
struct stream_halves;
/// Both halves of a TCP stream, from `into_split`.
using tcp_halves = stream_halves<class tcp_stream>;

/// What TCP does on a connection that is silent; zero leaves the system's own setting.
struct keepalive_options {
  std::chrono::seconds idle{};      ///< silence before the first probe
  std::chrono::seconds interval{};  ///< between probes
  int count = 0;                    ///< unanswered probes until the connection is dead
};

/// How `tcp_stream::connect` finds its way.
struct connect_options {
  resolver* with = nullptr;  ///< who turns a name into addresses: the system's when null
  /// Until the next address is tried beside those before.
  std::chrono::milliseconds attempt_delay{250};
};

/// A TCP connection. What it reads and writes with is `stream_socket`'s.
///
/// Cancel safety, Threads, Lifetime, Errors, Cost: as `stream_socket`.
class tcp_stream : public stream_socket {
 public:
  using address_type = socket_address;

  /// Connects to "host:port". A host name is looked up; of its addresses IPv6 and IPv4 take turns, the next one
  /// is tried when the one before has failed, or beside it when it has not answered for 250 ms, and the first
  /// that answers is taken (Happy Eyeballs, RFC 8305).
  ///
  /// Cancel safety: the attempts are given up.
  /// Errors: of the address that failed last, which they name: "connect 127.0.0.1:1: connection refused"; or the
  /// lookup's. There is no limit of time but the system's: `timeout` sets one.
  /// Cost: with one address, that of connecting to it; else one allocation more.
  static operation<tcp_stream> connect(std::string host_port, connect_options options = {});
  /// Connects to one address.
  static tcp_connect connect(const socket_address& to) noexcept;
  /// Takes over a connected stream socket, inside a runtime; on failure it is closed.
  static result<tcp_stream> adopt(int fd) noexcept;

  /// Empty when the system no longer knows (the peer has reset the connection).
  socket_address local_addr() const noexcept;
  /// Who is at the other end; empty as `local_addr`.
  socket_address peer_addr() const noexcept;

  /// Sends small writes at once instead of collecting them.
  result<void> set_nodelay(bool on) noexcept;
  result<bool> nodelay() const noexcept;
  /// Acknowledges what comes at once. The system forgets it again: set it before each read that matters. Linux.
  result<void> set_quickack(bool on) noexcept;
  result<bool> quickack() const noexcept;
  result<void> set_keepalive(bool on) noexcept;
  /// Turns it on, with these times.
  result<void> set_keepalive(const keepalive_options& options) noexcept;
  result<bool> keepalive() const noexcept;
  /// What becomes of unsent bytes when the stream is dropped: nothing set, the system sends them in the
  /// background; zero, they are thrown away and the peer sees a reset.
  result<void> set_linger(std::optional<std::chrono::seconds> time) noexcept;
  result<std::optional<std::chrono::seconds>> linger() const noexcept;
  /// Hops a packet may take.
  result<void> set_ttl(int hops) noexcept;
  result<int> ttl() const noexcept;
  /// Splits into halves for two tasks; `reunite` puts them together again.
  tcp_halves into_split() &&;

 private:
  friend class tcp_connect;
  using stream_socket::stream_socket;
};

/// Connects to one address; made by `tcp_stream::connect`.
class [[nodiscard("eddy: connecting does nothing until it is awaited")]] tcp_connect {
 public:
  explicit tcp_connect(const socket_address& to) noexcept : to_(to) {}
  /// By a socket that is there already; a `tcp_socket`'s.
  tcp_connect(const socket_address& to, eddy::detail::descriptor by) noexcept
      : to_(to), by_(std::move(by)), given_(true) {}
  polled<result<tcp_stream>> poll(context& cx) noexcept;

 private:
  error failed(int code) const;
  error begin();
  polled<result<tcp_stream>> finish() noexcept;

  socket_address to_;
  eddy::detail::descriptor by_;
  bool given_ = false;
  bool begun_ = false;
  eddy::detail::registration io_;
  eddy::detail::io_waiter waiter_;
};
static_assert(sizeof(tcp_connect) <= 80);

inline tcp_connect tcp_stream::connect(const socket_address& to) noexcept {
  return tcp_connect(to);
}

}}}  // namespace eddy::EDDY_ABI::net
