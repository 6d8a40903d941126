#include "server.hpp"

#include <iterator>
#include <span>
#include <utility>

namespace echo {

namespace {

bool would_block(const eddy::error& e) noexcept {
  return e == std::errc::resource_unavailable_try_again;
}

}  // namespace

eddy::future<eddy::result<eddy::net::socket_address>> server::start() {
  auto bound = co_await eddy::attempt(
      eddy::net::tcp_listener::bind(options_.bind, {.reuse_port = options_.threads > 1}));
  if (!bound) co_return std::move(bound).error();
  listener_.emplace(*std::move(bound));
  co_return listener_->local_addr();
}

eddy::future<eddy::result<void>> server::serve() {
  acceptor_.emplace(eddy::spawn_local(accept_all()));
  auto outcome = co_await eddy::attempt(*acceptor_);
  listener_.reset();
  if (!open_.empty()) {
    drained_.emplace();
    auto drained = drained_->get_future();
    co_await std::move(drained);
  }
  // stop() aborted the acceptor: that is no failure.
  if (!outcome && stopping_) co_return eddy::result<void>();
  co_return outcome;
}

void server::stop() noexcept {
  stopping_ = true;
  if (acceptor_) acceptor_->abort();
  for (auto& c : open_) {
    // Answers what has already arrived, at most 16 reads because a peer may never stop sending. A
    // connection with an unfinished answer is left to its task, which delivers the rest and ends.
    for (int reads_left = 16; c.rest.empty(); --reads_left) {
      const auto n = reads_left > 0 ? c.stream.try_read(buffer_) : 0;
      if (!n || *n == 0) {
        c.task->abort();
        break;
      }
      answer(c, *n);
    }
  }
}

eddy::future<eddy::result<void>> server::accept_all() {
  for (;;) {
    if (options_.max_connections != 0 && open_.size() >= options_.max_connections) {
      room_.emplace();
      auto room = room_->get_future();
      co_await std::move(room);
      continue;
    }
    auto accepted = co_await eddy::attempt(listener_->accept());
    if (!accepted) co_return std::move(accepted).error();
    static_cast<void>(accepted->stream.set_nodelay(true));
    ++served_;
    open_.emplace_back(std::move(accepted->stream));
    const auto self = std::prev(open_.end());
    self->task.emplace(eddy::spawn_local(echo(membership(*this, self))));
  }
}

eddy::future<eddy::result<void>> server::echo(membership self) {
  connection& c = *self;
  while (!stopping_) {
    const auto n = co_await eddy::or_return(c.stream.read(buffer_));
    if (n == 0) break;
    answer(c, n);
    if (!c.rest.empty()) co_await eddy::or_return(flush(c));
  }
  co_return eddy::result<void>();
}

// A separate coroutine, so that the frame of an idle connection holds no room for this.
eddy::future<eddy::result<void>> server::flush(connection& c) {
  co_await eddy::or_return(c.stream.write_all(c.rest));
  c.rest = {};
  co_return eddy::result<void>();
}

/// Sends the `n` bytes in the buffer back, as many as the peer takes at once, and keeps the rest.
/// If the peer is gone, the next read notices.
void server::answer(connection& c, std::size_t n) noexcept {
  ++requests_;
  bytes_ += n;
  const auto data = std::span<const std::byte>(buffer_).first(n);
  const auto written = c.stream.try_write(data);
  if (!written && !would_block(written.error())) return;
  const auto done = written ? *written : 0;
  if (done != data.size())
    c.rest.assign(data.begin() + static_cast<std::ptrdiff_t>(done), data.end());
}

void server::ended(registry::iterator self) noexcept {
  open_.erase(self);
  if (room_) std::exchange(room_, std::nullopt)->set_value();
  if (drained_ && open_.empty()) std::exchange(drained_, std::nullopt)->set_value();
}

}  // namespace echo
