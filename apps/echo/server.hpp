#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "options.hpp"

namespace echo {

/// Echoes on each connection until it is told to stop. All connections read into one shared buffer,
/// so an idle client holds none. Everything here belongs to one loop.
class server {
 public:
  explicit server(server_options options) : options_(std::move(options)) {}
  server(const server&) = delete;

  /// Binds. Returns the address it listens on, with the real port.
  eddy::future<eddy::result<eddy::net::socket_address>> start();
  /// Accepts and echoes until `stop` is called and every connection has ended. Errors: those of the
  /// listener.
  eddy::future<eddy::result<void>> serve();
  /// Accepts no more connections. Those in the middle of an answer finish it; the others end now.
  void stop() noexcept;

  std::uint64_t connections() const noexcept { return served_; }
  std::uint64_t requests() const noexcept { return requests_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  struct connection {
    explicit connection(eddy::net::tcp_stream s) : stream(std::move(s)) {}
    eddy::net::tcp_stream stream;
    std::optional<eddy::join_handle<eddy::result<void>>> task;
    std::vector<std::byte> rest;  // the part of an answer that the peer has not taken yet
  };
  using registry = std::list<connection>;

  /// A connection's entry in the registry, owned by its task: it is removed however the task ends.
  class membership {
   public:
    membership(server& s, registry::iterator c) : server_(&s), self_(c) {}
    membership(membership&& other) noexcept
        : server_(std::exchange(other.server_, nullptr)), self_(other.self_) {}
    membership& operator=(membership&&) = delete;
    ~membership() {
      if (server_ != nullptr) server_->ended(self_);
    }
    connection& operator*() const noexcept { return *self_; }

   private:
    server* server_;
    registry::iterator self_;
  };

  eddy::future<eddy::result<void>> accept_all();
  eddy::future<eddy::result<void>> echo(membership self);
  static eddy::future<eddy::result<void>> flush(connection& c);
  void answer(connection& c, std::size_t n) noexcept;
  void ended(registry::iterator self) noexcept;

  // Shared by all connections: it holds data only from the end of a read to the write that follows
  // without a suspension. A read that waits only refers to it.
  std::array<std::byte, 64 * 1024> buffer_;
  server_options options_;
  std::optional<eddy::net::tcp_listener> listener_;
  std::optional<eddy::join_handle<eddy::result<void>>> acceptor_;
  registry open_;
  std::optional<eddy::promise<>> room_;     // set while the acceptor waits for a connection to end
  std::optional<eddy::promise<>> drained_;  // set while serve waits for the last connection to end
  bool stopping_ = false;
  std::uint64_t served_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace echo
