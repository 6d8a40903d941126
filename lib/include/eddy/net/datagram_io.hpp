#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>

#include <eddy/base/result.hpp>
#include <eddy/base/unit.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/net/unix_address.hpp>
#include <eddy/runtime/detail/readiness.hpp>
#include <eddy/time/sleep.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

/// A datagram's size and where it comes from: `auto [size, from] = co_await socket.recv_from(buffer);`
template <class Address>
struct received {
  std::size_t size;  ///< bytes of the datagram
  Address from;      ///< who sent it
};

/// One datagram of a batch that is received. The caller gives the buffer, the operation fills in the rest.
template <class Address>
struct incoming {
  io::buffer to;           ///< where it goes
  std::size_t size = 0;    ///< bytes that came
  Address from{};          ///< who sent it
  bool truncated = false;  ///< it was longer than `to`, and the rest of it is lost
};

/// One datagram of a batch that is sent. On a connected socket without an address.
template <class Address>
struct outgoing {
  io::const_buffer data;  ///< what is sent
  Address to{};           ///< to whom
};

}}}  // namespace eddy::EDDY_ABI::net

// What one awaits on a socket of datagrams; one system call each, tried when the socket is ready. `Address` is
// socket_address or unix_address.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

// Of a Unix peer that is full, and to which the socket is not connected, the system never says that there is room
// again.
template <class Address>
using send_pause =
    std::conditional_t<std::is_same_v<Address, net::unix_address>, std::optional<sleep_leaf>, unit>;

/// Receives one, or looks at one without taking it, from whomever.
class [[nodiscard]] recv_leaf {
 public:
  recv_leaf(const registration& io, io::buffer to, bool peek) noexcept
      : io_(&io.state()), to_(to), peek_(peek) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  io::buffer to_;
  io_waiter waiter_;
  bool peek_;
};

/// Sends one to the peer of a connected socket.
class [[nodiscard]] send_leaf {
 public:
  send_leaf(const registration& io, io::const_buffer data) noexcept
      : io_(&io.state()), data_(data) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  io::const_buffer data_;
  io_waiter waiter_;
};

template <class Address>
class [[nodiscard]] recv_from_leaf {
 public:
  recv_from_leaf(const registration& io, io::buffer to, bool peek) noexcept
      : io_(&io.state()), to_(to), peek_(peek) {}
  polled<result<net::received<Address>>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  io::buffer to_;
  io_waiter waiter_;
  bool peek_;
};

template <class Address>
class [[nodiscard]] send_to_leaf {
 public:
  send_to_leaf(const registration& io, io::const_buffer data, const Address& to) noexcept
      : io_(&io.state()), data_(data), to_(to) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  io::const_buffer data_;
  Address to_;
  io_waiter waiter_;
  [[no_unique_address]] send_pause<Address> pause_;
};

template <class Address>
class [[nodiscard]] recv_batch_leaf {
 public:
  recv_batch_leaf(const registration& io, std::span<net::incoming<Address>> batch) noexcept
      : io_(&io.state()), batch_(batch) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  std::span<net::incoming<Address>> batch_;
  io_waiter waiter_;
};

template <class Address>
class [[nodiscard]] send_batch_leaf {
 public:
  send_batch_leaf(const registration& io, std::span<const net::outgoing<Address>> batch) noexcept
      : io_(&io.state()), batch_(batch) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  readiness* io_;
  std::span<const net::outgoing<Address>> batch_;
  io_waiter waiter_;
  [[no_unique_address]] send_pause<Address> pause_;
};

/// At once or not at all: EAGAIN is an error.
result<std::size_t> try_recv(const registration& io, io::buffer to, bool peek) noexcept;
result<std::size_t> try_send(const registration& io, io::const_buffer data) noexcept;
template <class Address>
result<net::received<Address>> try_recv_from(const registration& io, io::buffer to,
                                             bool peek) noexcept;
template <class Address>
result<std::size_t> try_send_to(const registration& io, io::const_buffer data,
                                const Address& to) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
