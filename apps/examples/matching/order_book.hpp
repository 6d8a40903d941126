#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace matching {

using order_id = std::uint64_t;
using price = std::int64_t;  // in ticks of the market
using quantity = std::uint32_t;
enum class side : std::uint8_t { buy, sell };

struct order {
  order_id id;
  side what;
  price at;
  quantity open;  // not traded yet
};

/// The new order `taker` met the waiting order `maker`. The maker's price applies.
struct trade {
  order_id maker;
  order_id taker;
  price at;
  quantity size;
};

/// The waiting orders of one market. The best price is served first; at the same price, the oldest
/// order. A plain data structure that knows nothing of tasks.
class order_book {
 public:
  /// Trades `o` against the waiting orders of the other side as far as prices allow, and appends
  /// the trades to `done`. The rest of `o` waits.
  void place(order o, std::vector<trade>& done);
  /// Removes the order. Returns how much of it had not been traded; 0 if it is not in the book.
  quantity cancel(order_id id);
  /// Returns one line per order, "buy 50000 3 #17": first buys, then sells, in the order in which
  /// they would be served.
  std::string to_text() const;

 private:
  using level = std::list<order>;  // one price, oldest first
  using bids = std::map<price, level, std::greater<>>;
  using asks = std::map<price, level>;

  template <class Levels>
  void match(Levels& others, order& o, std::vector<trade>& done);
  template <class Levels>
  quantity remove(Levels& levels, level::iterator which);

  bids bids_;
  asks asks_;
  std::unordered_map<order_id, level::iterator> where_;
};

}  // namespace matching
