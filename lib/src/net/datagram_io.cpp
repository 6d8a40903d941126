// Moving datagrams: the leaves of <eddy/net/datagram_io.hpp>. A short one says nothing about what else is
// there, so readiness is only cleared when a call has said EAGAIN, or by a guess (datagram_guess.hpp).

#include <eddy/net/datagram_io.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <eddy/base/error.hpp>
#include <eddy/net/address.hpp>
#include <eddy/net/unix_address.hpp>

#include "io/transfer.hpp"
#include "net/batch.hpp"
#include "net/datagram_guess.hpp"
#include "net/direct_calls.hpp"
#include "net/socket.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

using net::incoming;
using net::outgoing;
using net::received;

const char* receiving(bool peek) noexcept { return peek ? "peek" : "recv"; }

auto receive(const readiness& io, io::buffer to, bool peek) noexcept {
  return [fd = io.fd, to, flags = peek ? MSG_PEEK : 0]() noexcept {
    return direct_recv(fd, to.data(), to.size(), flags);
  };
}

auto receive_from(const readiness& io, io::buffer to, bool peek, native_address& from) noexcept {
  return [fd = io.fd, to, flags = peek ? MSG_PEEK : 0, &from]() noexcept {
    from.size = sizeof from.storage;
    return direct_recvfrom(fd, to.data(), to.size(), flags, from.get(), &from.size);
  };
}

// A successful `call`, which receives one datagram or looks at it.
template <class Call>
[[gnu::always_inline]] inline polled<result<std::size_t>> receive_one(readiness& io, io_waiter& w,
                                                                      context& cx, bool peek,
                                                                      Call call) noexcept {
  using answer = result<std::size_t>;
  for (;;) {
    const wait_result state = io.poll_ready(direction::read, w, cx);
    if (state == wait_result::waiting) return pending;
    if (state == wait_result::elsewhere) [[unlikely]]
      return answer(awaited_elsewhere());
    if (!cx.proceed()) [[unlikely]]
      return pending;
    const auto tick = io.tick();
    const ::ssize_t n = call();
    datagram_guess guess(io.guess);
    if (n >= 0) [[likely]] {
      if (!peek && guess.was_only_one() && state == wait_result::ready)
        io.clear(direction::read, tick);
      return answer(static_cast<std::size_t>(n));
    }
    if (error why = why_failed(io, direction::read, state, tick, receiving(peek)))
      return answer(std::move(why));
    guess.found_none();
  }
}

auto send_one(const readiness& io, io::const_buffer data) noexcept {
  return [fd = io.fd, data]() noexcept {
    return direct_send(fd, data.data(), data.size(), no_signal);
  };
}

template <class Address>
auto send_one_to(const readiness& io, io::const_buffer data, const Address& to) noexcept {
  return [fd = io.fd, data, &to]() noexcept {
    native_address native(to);
    return direct_sendto(fd, data.data(), data.size(), no_signal, native.get(), native.size);
  };
}

template <class Pause, class Call>
polled<result<std::size_t>> send_with_pause(readiness& io, io_waiter& waiter, Pause& pause,
                                            context& cx, Call call) noexcept {
  if constexpr (std::is_same_v<Pause, unit>) {
    return transfer(io, direction::write, waiter, cx, "send", 0, call);
  } else {
    if (pause && !pause->poll(cx)) return pending;
    pause.reset();
    bool full = false;
    auto p = transfer(io, direction::write, waiter, cx, "send", 0, [&]() noexcept {
      const ::ssize_t n = call();
      full = n < 0 && would_block(errno);
      return n;
    });
    // Its own readiness would come at once, and mean nothing.
    if (!p && full) static_cast<void>(pause.emplace(sleep(std::chrono::milliseconds(1))).poll(cx));
    return p;
  }
}

}  // namespace

polled<result<std::size_t>> recv_leaf::poll(context& cx) noexcept {
  return receive_one(*io_, waiter_, cx, peek_, receive(*io_, to_, peek_));
}

polled<result<std::size_t>> send_leaf::poll(context& cx) noexcept {
  return transfer(*io_, direction::write, waiter_, cx, "send", 0, send_one(*io_, data_));
}

template <class Address>
polled<result<received<Address>>> recv_from_leaf<Address>::poll(context& cx) noexcept {
  native_address from;
  auto p = receive_one(*io_, waiter_, cx, peek_, receive_from(*io_, to_, peek_, from));
  if (!p) return pending;
  if (!p->has_value()) return result<received<Address>>(std::move(*p).error());
  return result<received<Address>>(received<Address>{**p, from.as<Address>()});
}

template <class Address>
polled<result<std::size_t>> send_to_leaf<Address>::poll(context& cx) noexcept {
  return send_with_pause(*io_, waiter_, pause_, cx, send_one_to(*io_, data_, to_));
}

template <class Address>
polled<result<std::size_t>> recv_batch_leaf<Address>::poll(context& cx) noexcept {
  if (batch_.empty()) return result<std::size_t>(0U);
  return transfer(*io_, direction::read, waiter_, cx, "recv", 0, [this]() noexcept -> ::ssize_t {
    message messages[message::most];
    const auto part = batch_.first(std::min(batch_.size(), message::most));
    for (std::size_t i = 0; i < part.size(); ++i) {
      messages[i].data = {part[i].to.data(), part[i].to.size()};
      messages[i].address_size = sizeof messages[i].address;
    }
    const int n = receive_messages(io_->fd, std::span(messages).first(part.size()));
    for (int i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      part[at].size = messages[at].moved;
      part[at].truncated = messages[at].truncated;
      part[at].from = Address::from_native(
          reinterpret_cast<const ::sockaddr*>(&messages[at].address), messages[at].address_size);
    }
    return n;
  });
}

template <class Address>
polled<result<std::size_t>> send_batch_leaf<Address>::poll(context& cx) noexcept {
  if (batch_.empty()) return result<std::size_t>(0U);
  return send_with_pause(*io_, waiter_, pause_, cx, [this]() noexcept -> ::ssize_t {
    message messages[message::most];
    const auto part = batch_.first(std::min(batch_.size(), message::most));
    for (std::size_t i = 0; i < part.size(); ++i) {
      messages[i].data = {const_cast<void*>(part[i].data.data()), part[i].data.size()};
      messages[i].address_size = static_cast<::socklen_t>(
          part[i].to == Address() ? 0 : part[i].to.to_native(&messages[i].address));
    }
    return send_messages(io_->fd, std::span(messages).first(part.size()));
  });
}

result<std::size_t> try_recv(const registration& io, io::buffer to, bool peek) noexcept {
  return try_transfer(io.state(), direction::read, receiving(peek), 0,
                      receive(io.state(), to, peek));
}
result<std::size_t> try_send(const registration& io, io::const_buffer data) noexcept {
  return try_transfer(io.state(), direction::write, "send", 0, send_one(io.state(), data));
}
template <class Address>
result<received<Address>> try_recv_from(const registration& io, io::buffer to, bool peek) noexcept {
  native_address from;
  auto n = try_transfer(io.state(), direction::read, receiving(peek), 0,
                        receive_from(io.state(), to, peek, from));
  if (!n) return std::move(n).error();
  return received<Address>{*n, from.as<Address>()};
}
template <class Address>
result<std::size_t> try_send_to(const registration& io, io::const_buffer data,
                                const Address& to) noexcept {
  return try_transfer(io.state(), direction::write, "send", 0, send_one_to(io.state(), data, to));
}

template class recv_from_leaf<net::socket_address>;
template class recv_from_leaf<net::unix_address>;
template class send_to_leaf<net::socket_address>;
template class send_to_leaf<net::unix_address>;
template class recv_batch_leaf<net::socket_address>;
template class recv_batch_leaf<net::unix_address>;
template class send_batch_leaf<net::socket_address>;
template class send_batch_leaf<net::unix_address>;
template result<received<net::socket_address>> try_recv_from(const registration&, io::buffer,
                                                             bool) noexcept;
template result<received<net::unix_address>> try_recv_from(const registration&, io::buffer,
                                                           bool) noexcept;
template result<std::size_t> try_send_to(const registration&, io::const_buffer,
                                         const net::socket_address&) noexcept;
template result<std::size_t> try_send_to(const registration&, io::const_buffer,
                                         const net::unix_address&) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
