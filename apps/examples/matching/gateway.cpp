#include "gateway.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <eddy/codec/framed_read.hpp>
#include <eddy/codec/lines.hpp>

using namespace std::chrono_literals;

namespace matching {

namespace {

constexpr std::size_t longest_line = 128;
constexpr std::size_t most_unanswered =
    256;  // how many commands a client may be ahead of its answers

std::string_view next_word(std::string_view& text) {
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

template <class N>
bool next_number(std::string_view& text, N& out) {
  const auto word = next_word(text);
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), out);
  return failed == std::errc{} && end == word.data() + word.size();
}

/// Parses the line into `c`. Returns null, or what is wrong with the line.
const char* parse(std::string_view line, command& c) {
  const auto verb = next_word(line);
  if (verb == "buy" || verb == "sell") {
    c.what = verb == "buy" ? action::buy : action::sell;
    if (!next_number(line, c.at)) return "the price is not a whole number";
    if (!next_number(line, c.size) || c.size == 0) return "the size is not a whole number above 0";
  } else if (verb == "cancel") {
    c.what = action::cancel;
    if (!next_number(line, c.id)) return "the order's number is missing";
  } else {
    return "not buy, sell or cancel";
  }
  return line.empty() ? nullptr : "there is text after the command";
}

std::string to_line(const outcome& o) {
  if (o.fault != nullptr) return std::string("error: ") + o.fault + '\n';
  const auto id = std::to_string(o.what.id);
  const auto size = ' ' + std::to_string(o.filled);
  if (o.what.what != action::cancel) return "accepted " + id + size + '\n';
  return o.filled != 0 ? "cancelled " + id + size + '\n' : "no order " + id + '\n';
}

/// Sends the answers; those that are ready together go out in one write. Returns when no more can
/// come, which is when the reader and every request in flight have ended.
eddy::future<> write_answers(eddy::net::tcp_write_half out, mpsc::receiver<outcome> answers) {
  std::vector<outcome> ready;
  std::string text;
  while (co_await answers.recv_many(ready, most_unanswered) != 0) {
    for (const auto& o : ready) text += to_line(o);
    const auto sent = co_await eddy::attempt(eddy::timeout(10s, out.write_all(text)));
    if (!sent) co_return;
    ready.clear();
    text.clear();
  }
}

/// Parses the client's commands and sends them to the engine.
eddy::future<> read_commands(eddy::net::tcp_read_half in, mpsc::sender<request> requests,
                             mpsc::sender<outcome> answers) {
  eddy::codec::framed_read lines(std::move(in), eddy::codec::lines(longest_line));
  for (;;) {
    const auto line = co_await eddy::attempt(lines.next());
    if (line ? !line->has_value() : line.error() != std::errc::message_size)
      co_return;  // the client is gone
    auto mine = answers;
    auto place = co_await eddy::attempt(std::move(mine).reserve_owned());
    if (!place) co_return;  // the client takes no more answers
    command c;
    if (const char* const fault = line ? parse(**line, c) : "the line is too long") {
      place->send({.what = c, .filled = 0, .fault = fault});
      continue;
    }
    request r{.what = c, .reply = *std::move(place)};
    const auto sent = co_await eddy::attempt(requests.send(std::move(r)));
    if (!sent) co_return;
  }
}

eddy::future<> serve_client(eddy::net::tcp_stream client, mpsc::sender<request> requests,
                            eddy::sync::cancellation_token stop) {
  auto [in, out] = std::move(client).into_split();
  auto [answers, told] = mpsc::channel<outcome>(most_unanswered);
  auto writing = eddy::spawn(write_answers(std::move(out), std::move(told)));
  co_await stop.run_until_cancelled(
      read_commands(std::move(in), std::move(requests), std::move(answers)));
  co_await writing;
}

}  // namespace

eddy::future<eddy::result<void>> serve_clients(eddy::net::tcp_listener listener,
                                               mpsc::sender<request> requests,
                                               eddy::sync::cancellation_token stop) {
  const eddy::sync::task_tracker clients;
  eddy::result<void> outcome;
  while (!stop.is_cancelled()) {
    auto accepted = co_await eddy::attempt(stop.run_until_cancelled(listener.accept()));
    if (!accepted) outcome = accepted.error();
    if (!accepted || !*accepted) break;
    clients.spawn(serve_client(std::move((*accepted)->stream), requests, stop));
  }
  stop.cancel();
  clients.close();
  co_await clients.wait();
  co_return outcome;
}

}  // namespace matching
