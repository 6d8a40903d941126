#include "order_book.hpp"

#include <algorithm>
#include <iterator>

namespace matching {

void order_book::place(order o, std::vector<trade>& done) {
  if (o.what == side::buy)
    match(asks_, o, done);
  else
    match(bids_, o, done);
  if (o.open == 0) return;
  auto& queue = o.what == side::buy ? bids_[o.at] : asks_[o.at];
  queue.push_back(o);
  where_.emplace(o.id, std::prev(queue.end()));
}

quantity order_book::cancel(order_id id) {
  const auto found = where_.find(id);
  if (found == where_.end()) return 0;
  const auto which = found->second;
  where_.erase(found);
  return which->what == side::buy ? remove(bids_, which) : remove(asks_, which);
}

template <class Levels>
void order_book::match(Levels& others, order& o, std::vector<trade>& done) {
  while (o.open != 0 && !others.empty()) {
    const auto best = others.begin();
    if (others.key_comp()(o.at, best->first)) return;  // worse than the order's limit
    auto& maker = best->second.front();
    const auto size = std::min(o.open, maker.open);
    done.push_back({.maker = maker.id, .taker = o.id, .at = best->first, .size = size});
    o.open -= size;
    maker.open -= size;
    if (maker.open != 0) return;
    where_.erase(maker.id);
    best->second.pop_front();
    if (best->second.empty()) others.erase(best);
  }
}

template <class Levels>
quantity order_book::remove(Levels& levels, level::iterator which) {
  const auto at = levels.find(which->at);
  const auto open = which->open;
  at->second.erase(which);
  if (at->second.empty()) levels.erase(at);
  return open;
}

std::string order_book::to_text() const {
  std::string text;
  const auto add = [&text](const char* name, const auto& levels) {
    for (const auto& [at, queue] : levels)
      for (const auto& o : queue)
        text += name + std::to_string(at) + ' ' + std::to_string(o.open) + " #" +
                std::to_string(o.id) + '\n';
  };
  add("buy ", bids_);
  add("sell ", asks_);
  return text;
}

}  // namespace matching
