#include "session.hpp"

namespace ticker {

namespace {

using namespace std::chrono_literals;

constexpr auto beat_time = 1s;
constexpr std::size_t most_at_once = 256;  // updates in one write
constexpr std::size_t kept_capacity = 16 * 1024;

std::string describe(const eddy::error& e, const limits& most) {
  if (e == std::errc::message_size)
    return "a line of more than " + std::to_string(most.line_length) + " bytes";
  return std::string(e.detail());
}

}  // namespace

session::session(eddy::net::tcp_stream client, const market& all, metrics& counts,
                 const limits& most)
    : client_(std::move(client)),
      all_(&all),
      counts_(&counts),
      most_(most),
      input_(client_, eddy::codec::json_lines<>(most.line_length)),
      rate_(most.messages, 1s) {
  ++counts_->clients;
  ++counts_->clients_total;
}

session::~session() { --counts_->clients; }

eddy::future<> session::run(eddy::sync::cancellation_token stop) {
  say(system_status("online"));
  eddy::interval beat(eddy::clock::now() + beat_time, beat_time);
  for (bool quiet = false, alive = true; alive;) {
    const bool flushed = co_await flush();
    if (!flushed) co_return;
    auto r = co_await eddy::select(
        eddy::when(!too_fast_, eddy::attempt(input_.next())),
        eddy::when(too_fast_, rate_.acquire()),
        eddy::when(!subscriptions_.empty(), subscriptions_.next_many(updates_, most_at_once)),
        beat.tick(), stop.cancelled());
    switch (r.index()) {
      case 0:
        alive = on_message(std::move(r).get<0>());
        break;
      case 1:
        too_fast_ = false;
        break;
      case 2:
        alive = on_updates();
        break;
      case 3:
        if (std::exchange(quiet, true)) say(heartbeat());
        continue;
      default:
        say(system_status("shutdown"));
        alive = false;
    }
    quiet = false;
  }
  static_cast<void>(co_await flush());
}

/// Returns false if the client is gone.
bool session::on_message(message got) {
  if (got && !*got) return false;
  const bool connection_failed =
      !got && got.error() != std::errc::message_size && got.error() != std::errc::protocol_error;
  if (connection_failed) return false;
  ++received_;
  if (!rate_.try_acquire()) {
    too_fast_ = true;
    complain("more than " + std::to_string(most_.messages) + " messages per second: ignored");
  } else if (!got) {
    complain(describe(got.error(), most_));
  } else {
    execute(**got);
  }
  return true;
}

void session::execute(const nlohmann::json& request) {
  command c;
  if (const auto fault = parse(request, c); !fault.empty()) return complain(fault);
  switch (c.what) {
    case command::kind::subscribe:
      return subscribe(c);
    case command::kind::unsubscribe:
      return unsubscribe(c);
    case command::kind::ping:
      return answer(pong(), c);
    case command::kind::pairs:
      return answer(list_of_pairs(*all_), c);
  }
}

void session::subscribe(const command& c) {
  for (const auto& name : c.pairs) {
    const auto* const found = all_->find(name);
    const char* fault = found == nullptr ? "unknown pair" : nullptr;
    if (fault == nullptr && subscriptions_.contains(key(found, c.name)))
      fault = "already subscribed";
    if (fault == nullptr && subscriptions_.size() == most_.subscriptions)
      fault = "too many subscriptions";
    auto status = subscription_status(fault == nullptr ? "subscribed" : "error", name, c.name);
    if (fault != nullptr) status["errorMessage"] = fault;
    answer(std::move(status), c);
    if (fault != nullptr) continue;
    subscriptions_.insert(key(found, c.name), subscription(*found, c.name));
    if (const auto latest = found->latest(c.name)) out_ += *latest;
  }
}

void session::unsubscribe(const command& c) {
  for (const auto& name : c.pairs) {
    const auto* const found = all_->find(name);
    const bool removed = found != nullptr && subscriptions_.remove(key(found, c.name)).has_value();
    auto status = subscription_status(removed ? "unsubscribed" : "error", name, c.name);
    if (!removed) status["errorMessage"] = found == nullptr ? "unknown pair" : "not subscribed";
    answer(std::move(status), c);
  }
}

/// Returns false if the client has missed too many messages.
bool session::on_updates() {
  for (auto& [from, news] : updates_) {
    if (news.missed != 0) {
      missed_ += news.missed;
      counts_->missed += news.missed;
      say(lag(from.first->name(), from.second, news.missed));
    }
    if (news.message != nullptr) out_ += *news.message;
  }
  updates_.clear();
  if (missed_ <= most_.missed) return true;
  ++counts_->dropped;
  complain("too slow: " + std::to_string(missed_) + " messages missed; goodbye");
  return false;
}

void session::answer(nlohmann::json reply, const command& c) {
  if (c.reqid) reply["reqid"] = *c.reqid;
  say(reply);
}

void session::say(const nlohmann::json& what) {
  // dump() throws on text that is not UTF-8. Answers repeat only text of messages that were parsed,
  // so it is UTF-8.
  out_ += what.dump();
  out_ += '\n';
}

/// Sends what is in `out_`. Returns false if the client does not take it.
eddy::future<bool> session::flush() {
  if (out_.empty()) co_return true;
  const auto sent =
      co_await eddy::attempt(eddy::timeout(most_.write_time, client_.write_all(out_)));
  if (!sent && sent.error() == eddy::errc::elapsed) ++counts_->dropped;
  out_.clear();
  if (out_.capacity() > kept_capacity) out_.shrink_to_fit();
  co_return sent.has_value();
}

}  // namespace ticker
