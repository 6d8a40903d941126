#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/net/stream_listener.hpp>
#include <eddy/net/stream_socket.hpp>
#include <eddy/net/stream_split.hpp>
#include <eddy/net/unix_address.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

/// Who is at the other end of a Unix socket, as it was when the connection was made.
class peer_credentials {
 public:
  peer_credentials(std::uint32_t user, std::uint32_t group,
                   std::optional<std::int32_t> process) noexcept
      : user_(user), group_(group), process_(process) {}
  std::uint32_t uid() const noexcept { return user_; }   ///< the user's
  std::uint32_t gid() const noexcept { return group_; }  ///< the group's
  /// Not every system tells.
  std::optional<std::int32_t> pid() const noexcept { return process_; }

 private:
  std::uint32_t user_;
  std::uint32_t group_;
  std::optional<std::int32_t> process_;
};

struct unix_stream_pair;

/// A connection to a process of this machine. What it reads and writes with is `stream_socket`'s.
///
/// Cancel safety, Threads, Lifetime, Errors, Cost: as `stream_socket`.
class unix_stream : public stream_socket {
 public:
  using address_type = unix_address;

  /// Connects to a path, or to any address. While the listener's backlog is full it tries again, after 1 ms
  /// and then twice as long each time, up to 100 ms.
  ///
  /// Cancel safety: the attempt is given up.
  /// Errors: name the address: "connect /run/x.sock: no such file or directory".
  static operation<unix_stream> connect(std::string path);
  static operation<unix_stream> connect(const unix_address& to);
  /// Two streams connected to each other.
  static result<unix_stream_pair> pair();
  /// Takes over a connected Unix stream socket, inside a runtime; on failure it is closed.
  static result<unix_stream> adopt(int fd) noexcept;

  /// Where it is bound; unnamed if nowhere.
  unix_address local_addr() const noexcept;
  /// Where the other end is bound; unnamed if nowhere.
  unix_address peer_addr() const noexcept;
  /// Who the other end was when it connected.
  result<peer_credentials> peer_cred() const noexcept;

  /// Splits into halves for two tasks; `reunite` puts them together again.
  stream_halves<unix_stream> into_split() &&;

 private:
  using stream_socket::stream_socket;
};

/// The reading half of a Unix stream.
using unix_read_half = stream_read_half<unix_stream>;
/// The writing half of a Unix stream.
using unix_write_half = stream_write_half<unix_stream>;

/// Two streams that are each other's peer.
struct unix_stream_pair {
  unix_stream first;   ///< one end
  unix_stream second;  ///< the other
};

/// What `unix_listener::accept` gives.
using unix_accepted = accepted_stream<unix_stream>;

/// Takes connections at a path or an abstract name: `auto [stream, peer] = co_await listener.accept();`
///
/// A path stays behind when the listener goes: remove it before the next bind, or it fails with "address
/// already in use".
/// Threads, Lifetime: as `unix_stream`.
class unix_listener : public stream_listener<unix_stream> {
 public:
  /// Errors: name the address.
  static result<unix_listener> bind(const unix_address& at, int backlog = 1024);
  static result<unix_listener> bind(std::string_view path, int backlog = 1024);
  /// Takes over a listening Unix socket, inside a runtime; on failure it is closed.
  static result<unix_listener> adopt(int fd) noexcept;

  /// Where it listens.
  unix_address local_addr() const noexcept;

 private:
  using stream_listener::stream_listener;
};

}}}  // namespace eddy::EDDY_ABI::net
