#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include <eddy/stream.hpp>

#include "market.hpp"

namespace ticker {

/// What a subscription returns.
struct update {
  line message;  // null if there are only missed messages
  std::uint64_t missed = 0;
};

/// One client's subscription to one feed of one pair, as a stream. A client that was too slow
/// learns how many messages it has missed and gets the current quote instead. Then the stream goes
/// on with new messages.
class subscription : public eddy::stream_base<subscription> {
 public:
  subscription(const listing& of, feed f) : of_(&of), feed_(f), messages_(of.subscribe(f)) {}
  subscription(subscription&& other) noexcept
      : of_(other.of_),
        feed_(other.feed_),
        messages_((other.waiting_.reset(), std::move(other.messages_))) {}
  subscription& operator=(subscription&&) = delete;

  const listing& of() const noexcept { return *of_; }
  feed name() const noexcept { return feed_; }

  eddy::polled<std::optional<update>> poll_next(eddy::context& cx) noexcept {
    if (!waiting_) waiting_.emplace(messages_.recv());
    auto p = waiting_->poll(cx);
    if (!p) return eddy::pending;
    waiting_.reset();
    const auto& got = *p;
    if (!got) return std::optional<update>();  // the market has ended
    if (got.has_item()) return std::optional(update{.message = *got});
    // The messages left in the channel are older than the newest quote: skip them.
    const auto missed = got.lagged() + messages_.len();
    messages_ = messages_.resubscribe();
    return std::optional(update{.message = of_->latest(feed_), .missed = missed});
  }

 private:
  const listing* of_;
  feed feed_;
  broadcast::receiver<line> messages_;
  std::optional<decltype(messages_.recv())> waiting_;
};

}  // namespace ticker
