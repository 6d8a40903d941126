#include "source.hpp"

#include <algorithm>
#include <cmath>

namespace ticker {

namespace {

using namespace std::chrono_literals;

// Ticks that are due within this time go out together, which saves a wake and a write for each.
constexpr auto coarseness = 1ms;

eddy::duration seconds(double s) {
  return std::chrono::ceil<eddy::duration>(std::chrono::duration<double>(s));
}

double to_cents(double price) { return std::round(price * 100) / 100; }

}  // namespace

random_walk::random_walk(std::size_t pairs, double rate, std::uint64_t seed)
    : rate_(rate), random_(seed) {
  std::uniform_real_distribution<double> exponent(0, 5);  // from 1 to 100 000
  for (std::size_t i = 0; i < pairs; ++i) prices_.push_back(std::pow(10, exponent(random_)));
}

tick random_walk::make() {
  const auto pair = random_() % prices_.size();
  std::normal_distribution<double> step(0, 0.0005);
  std::exponential_distribution<double> size(2);
  auto& price = prices_[pair];
  price = std::max(0.01, price * (1 + step(random_)));
  ++made_;
  return {.pair = pair,
          .price = to_cents(price),
          .size = std::ceil(size(random_) * 1000) / 1000,
          .what = random_() % 2 == 0 ? side::buy : side::sell};
}

eddy::future<ticks> random_walk::next() {
  if (made_ == 0) start_ = eddy::clock::now();
  const auto due = start_ + seconds(static_cast<double>(made_) / rate_);
  co_await eddy::sleep_until(std::max(due, eddy::clock::now() + coarseness));
  const std::chrono::duration<double> passed = eddy::clock::now() - start_;
  const auto wanted = static_cast<std::uint64_t>(passed.count() * rate_) + 1;
  ticks some;
  while (made_ < wanted) some.push_back(make());
  co_return some;
}

eddy::future<ticks> recording::next() {
  ticks some;
  if (next_ == entries_.size()) co_return some;
  if (next_ == 0) start_ = eddy::clock::now();
  const auto due = start_ + seconds(entries_[next_].time / speed_);
  co_await eddy::sleep_until(std::max(due, eddy::clock::now() + coarseness));
  const std::chrono::duration<double> passed = eddy::clock::now() - start_;
  while (next_ < entries_.size() && entries_[next_].time / speed_ <= passed.count())
    some.push_back(entries_[next_++].what);
  co_return some;
}

}  // namespace ticker
