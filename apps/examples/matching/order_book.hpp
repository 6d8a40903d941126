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

/// `taker` came and found `maker` waiting; it is the maker's price that counts.
struct trade {
  order_id maker;
  order_id taker;
  price at;
  quantity size;
};

/// The orders of one market that wait for somebody. The best price is served first, and at one price who came
/// first. A plain data structure: it knows nothing of tasks.
class order_book {
 public:
  /// Trades `o` against what waits on the other side as far as prices allow, and appends the trades to `done`.
  /// What is left of it waits.
  void place(order o, std::vector<trade>& done);
  /// How much of the order had not been traded; 0 when it is not in the book.
  quantity cancel(order_id id);
  /// A line an order, "buy 50000 3 #17": purchases and then sales, in the order in which they would be served.
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
