#pragma once

#include <vector>

#include <eddy/eddy.hpp>

#include "journal.hpp"
#include "order_book.hpp"

namespace matching {

namespace mpsc = eddy::sync::mpsc;

/// What became of a command.
struct outcome {
  command what;  // with its id
  quantity
      filled;  // of an order: traded at once. Of a cancellation: what had still been open, 0 if nothing
  const char* fault = nullptr;  // set by who asks: it was no command, and why
};

/// A command, and a place kept for its outcome: answering never waits for a slow client. It is the client that
/// waits, for a place, before it may ask for more.
struct request {
  command what;  // the id of a new order is given by the engine
  mpsc::owned_permit<outcome> reply;
};

/// The middle of the pipeline: one task that owns book and journal. It takes what requests there are, up to a
/// batch, and writes it to the journal with one write; only then is it done, and is anybody told. Nothing is
/// locked, because nothing is shared.
class engine {
 public:
  /// Goes on from what the journal at `path` says.
  static eddy::result<engine> open(const std::string& path);

  /// An acceptance outlives a power cut, too. Costs a wait for the disk a batch.
  void set_durable(bool on) noexcept { durable_ = on; }
  /// Until every sender of requests is gone and all they sent is done, or the journal fails.
  eddy::future<eddy::result<void>> run(mpsc::receiver<request> requests,
                                       mpsc::sender<trade> settlement);

  const order_book& book() const noexcept { return book_; }
  std::uint64_t commands() const noexcept { return journal_.size(); }

 private:
  engine(journal j, order_book book, order_id last)
      : journal_(std::move(j)), book_(std::move(book)), last_id_(last) {}

  journal journal_;
  order_book book_;
  order_id last_id_;
  bool durable_ = false;
};

}  // namespace matching
