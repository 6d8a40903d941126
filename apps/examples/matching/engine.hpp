#pragma once

#include <vector>

#include <eddy/eddy.hpp>

#include "journal.hpp"
#include "order_book.hpp"

namespace matching {

namespace mpsc = eddy::sync::mpsc;

/// The result of a command.
struct outcome {
  command what;  // with its id
  // Of an order: how much was traded at once. Of a cancellation: how much was still open; 0 if the
  // order is not in the book.
  quantity filled;
  const char* fault = nullptr;  // set by the gateway: why the line was not a command
};

/// A command with a reserved place for its outcome, so that the engine never waits for a slow
/// client. Instead the client waits for a place before it may send more commands.
struct request {
  command what;  // the engine assigns the id of a new order
  mpsc::owned_permit<outcome> reply;
};

/// The middle of the pipeline: one task that owns the book and the journal. It takes the requests
/// that are there, up to a batch, and writes them to the journal with one write. Only then does it
/// apply them and send the outcomes. Nothing is locked, because nothing is shared.
class engine {
 public:
  /// Makes an engine whose state is that of the journal at `path`.
  static eddy::result<engine> open(const std::string& path);

  /// If on, accepted orders also survive a power cut. Costs one wait for the disk per batch.
  void set_durable(bool on) noexcept { durable_ = on; }
  /// Processes requests until every sender is gone and all requests are done, or the journal fails.
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
