#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/net/socket_io.hpp>
#include <eddy/runtime/detail/readiness.hpp>
#include <eddy/time/sleep.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

/// A connection and where it comes from.
template <class Stream>
struct accepted_stream {
  Stream stream;                       ///< the connection
  typename Stream::address_type peer;  ///< who is at its other end
};

template <class Stream>
class stream_accept;

/// What every listener can do: the part that `tcp_listener` and `unix_listener` have in common.
///
/// Threads, Lifetime: as the streams.
template <class Stream>
class stream_listener {
 public:
  /// What `accept` gives.
  using accepted = accepted_stream<Stream>;

  /// Waits for the next connection: `auto [stream, peer] = co_await listener.accept();`
  ///
  /// When descriptors or memory run out, clients stay in the backlog and it tries again when this loop has
  /// closed a descriptor, or after a while (1 ms, doubling up to 1 s). Connections that broke off before
  /// they were accepted are passed over.
  /// Cancel safety: no connection is lost.
  /// Lifetime: borrows the listener.
  stream_accept<Stream> accept() noexcept { return stream_accept<Stream>(*this); }
  /// A connection that waits, at once. Errors: none is `std::errc::resource_unavailable_try_again`; those of
  /// accept(2) come as they are.
  result<accepted> try_accept() noexcept;

  /// The descriptor; still the listener's. Do not close it.
  int native_handle() const noexcept { return io_.fd(); }
  /// Gives the listener away as a descriptor of another number, non-blocking as it is, which the caller
  /// closes.
  result<int> into_descriptor() && noexcept {
    return eddy::detail::give_away(std::exchange(io_, {}));
  }

 protected:
  explicit stream_listener(eddy::detail::registration io) noexcept : io_(std::move(io)) {}
  stream_listener(stream_listener&&) noexcept = default;
  stream_listener& operator=(stream_listener&&) noexcept = default;
  ~stream_listener() = default;

  eddy::detail::registration io_;

 private:
  friend class stream_accept<Stream>;
  result<accepted> take(int& code) noexcept;
};

/// Waits for a connection; made by a listener's `accept`.
template <class Stream>
class [[nodiscard("eddy: accepting does nothing until it is awaited")]] stream_accept {
 public:
  explicit stream_accept(stream_listener<Stream>& listener) noexcept : listener_(&listener) {}
  polled<result<accepted_stream<Stream>>> poll(context& cx) noexcept;

 private:
  bool still_backing_off(context& cx) noexcept;
  void back_off(context& cx) noexcept;

  stream_listener<Stream>* listener_;
  eddy::detail::io_waiter waiter_;  // for the listener, or for a descriptor to be closed
  std::optional<sleep_leaf> pause_;
  // Of the last pause. Here, because many tasks may accept at one listener.
  std::chrono::milliseconds delay_{0};
};

}}}  // namespace eddy::EDDY_ABI::net
