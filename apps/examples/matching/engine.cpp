#include "engine.hpp"

#include <utility>

namespace matching {

namespace {

constexpr std::size_t batch_limit = 256;

/// Applies a command to the book and appends its trades to `trades`.
outcome apply(order_book& book, const command& c, std::vector<trade>& trades) {
  if (c.what == action::cancel) return {.what = c, .filled = book.cancel(c.id)};
  const auto first = trades.size();
  const auto which = c.what == action::buy ? side::buy : side::sell;
  book.place({.id = c.id, .what = which, .at = c.at, .open = c.size}, trades);
  quantity filled = 0;
  for (auto i = first; i < trades.size(); ++i) filled += trades[i].size;
  return {.what = c, .filled = filled};
}

}  // namespace

eddy::result<engine> engine::open(const std::string& path) {
  order_book book;
  order_id last = 0;
  std::vector<trade> already_settled;
  auto opened = journal::open(path, [&](const command& c) {
    static_cast<void>(apply(book, c, already_settled));
    already_settled.clear();
    if (c.what != action::cancel) last = c.id;
  });
  if (!opened) return std::move(opened).error();
  return engine(*std::move(opened), std::move(book), last);
}

eddy::future<eddy::result<void>> engine::run(mpsc::receiver<request> requests,
                                             mpsc::sender<trade> settlement) {
  std::vector<request> batch;
  std::vector<command> accepted;
  std::vector<trade> trades;
  while (co_await requests.recv_many(batch, batch_limit) != 0) {
    for (auto& r : batch) {
      if (r.what.what != action::cancel) r.what.id = ++last_id_;
      accepted.push_back(r.what);
    }
    co_await eddy::or_return(journal_.append(accepted));
    if (durable_) co_await eddy::or_return(journal_.sync());

    for (auto& r : batch) r.reply.send(apply(book_, r.what, trades));
    for (const auto& t : trades) co_await eddy::or_return(settlement.send(t));
    batch.clear();
    accepted.clear();
    trades.clear();
  }
  co_return eddy::result<void>();
}

}  // namespace matching
