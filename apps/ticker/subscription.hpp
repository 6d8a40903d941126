#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include <eddy/stream.hpp>

#include "market.hpp"

namespace ticker {

/// What a subscriber gets.
struct update {
  line message;  // null: none, only `missed`
  std::uint64_t missed = 0;
};

/// One client's subscription to one feed of one pair, as a stream. A client that was too slow hears how many
/// messages it has missed, and gets the quote as it is instead; then it goes on with what is new.
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
    // What is left in the channel is older than the newest quote: begin anew behind it.
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
