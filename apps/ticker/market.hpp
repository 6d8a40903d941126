#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <eddy/eddy.hpp>

#include "tick.hpp"

namespace ticker {

namespace broadcast = eddy::sync::broadcast;
namespace watch = eddy::sync::watch;

/// A message as it goes over the wire, with its line end. It is encoded once and shared by all
/// receivers.
using line = std::shared_ptr<const std::string>;

enum class feed : std::uint8_t { ticker, trade };
inline constexpr std::size_t feed_count = 2;
const char* name_of(feed f) noexcept;

/// One pair: two feeds of messages for their subscribers, and the newest quote for clients that
/// have missed some.
class listing {
 public:
  explicit listing(std::string name);
  const std::string& name() const noexcept { return name_; }
  /// Returns a receiver of the feed's messages from now on.
  broadcast::receiver<line> subscribe(feed f) const { return feeds_[index(f)].subscribe(); }
  /// Returns the current quote as a message of that feed, or null if there has been no tick.
  line latest(feed f) const;
  /// Returns how many messages some subscriber has yet to take.
  std::size_t queued() const noexcept;
  /// Sends a tick to the subscribers. Returns how many messages that was.
  std::size_t publish(const tick& t);

 private:
  static std::size_t index(feed f) noexcept { return static_cast<std::size_t>(f); }
  line encode(feed f, const quote& q, const tick& t, bool snapshot) const;

  std::string name_;
  std::vector<broadcast::sender<line>> feeds_;
  struct last {
    quote whole;
    tick newest;
  };
  watch::sender<last> last_;
};

/// All pairs. The set of pairs is fixed at the start. Threads: any.
class market {
 public:
  explicit market(const std::vector<std::string>& names);
  const listing* find(std::string_view name) const;
  /// Sends a tick to the subscribers of its pair. Threads: one at a time.
  void publish(const tick& t);

  const std::deque<listing>& all() const noexcept { return listings_; }
  std::uint64_t ticks() const noexcept { return ticks_.load(std::memory_order_relaxed); }
  std::uint64_t messages() const noexcept { return messages_.load(std::memory_order_relaxed); }

 private:
  std::deque<listing> listings_;
  std::unordered_map<std::string_view, const listing*> by_name_;
  std::atomic<std::uint64_t> ticks_{0};  // counters: they order nothing and have no partner
  std::atomic<std::uint64_t> messages_{0};
};

}  // namespace ticker
