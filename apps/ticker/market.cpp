#include "market.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

namespace ticker {

namespace {

// How many messages of one pair a subscriber may be behind before it misses some.
constexpr std::size_t kept = 256;

std::int64_t microseconds_now() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

const char* name_of(feed f) noexcept { return f == feed::ticker ? "ticker" : "trade"; }

listing::listing(std::string name) : name_(std::move(name)), last_(watch::channel(last()).tx) {
  for (std::size_t i = 0; i < feed_count; ++i) feeds_.push_back(broadcast::channel<line>(kept).tx);
}

line listing::encode(feed f, const quote& q, const tick& t, bool snapshot) const {
  nlohmann::json message{
      {"event", name_of(f)}, {"pair", name_}, {"seq", q.ticks}, {"time", q.time}};
  if (f == feed::ticker) {
    message["last"] = q.last;
    message["bid"] = q.bid;
    message["ask"] = q.ask;
    message["volume"] = q.volume;
  } else {
    message["price"] = t.price;
    message["size"] = t.size;
    message["side"] = t.what == side::buy ? "buy" : "sell";
  }
  if (snapshot) message["snapshot"] = true;
  return std::make_shared<const std::string>(message.dump() + '\n');
}

line listing::latest(feed f) const {
  const last now = *last_.borrow();
  return now.whole.ticks == 0 ? nullptr : encode(f, now.whole, now.newest, true);
}

std::size_t listing::queued() const noexcept {
  std::size_t sum = 0;
  for (const auto& f : feeds_) sum += f.len();
  return sum;
}

std::size_t listing::publish(const tick& t) {
  quote q;
  last_.send_modify([&](last& now) {
    auto& whole = now.whole;
    whole.last = t.price;
    const double spread = t.price * 0.0001;
    whole.bid = t.what == side::sell ? t.price : t.price - spread;
    whole.ask = t.what == side::buy ? t.price : t.price + spread;
    whole.volume += t.size;
    ++whole.ticks;
    whole.time = microseconds_now();
    now.newest = t;
    q = whole;
  });
  std::size_t told = 0;
  for (const auto f : {feed::ticker, feed::trade}) {
    const auto& to = feeds_[index(f)];
    if (to.receiver_count() == 0) continue;  // no subscriber: do not encode
    if (const auto sent = to.send(encode(f, q, t, false))) told += *sent;
  }
  return told;
}

market::market(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    const auto& made = listings_.emplace_back(name);
    by_name_.emplace(made.name(), &made);
  }
}

const listing* market::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void market::publish(const tick& t) {
  const auto told = listings_[t.pair].publish(t);
  ticks_.fetch_add(1, std::memory_order_relaxed);
  messages_.fetch_add(told, std::memory_order_relaxed);
}

}  // namespace ticker
