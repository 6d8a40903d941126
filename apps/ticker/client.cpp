#include "client.hpp"

#include <utility>

namespace ticker {

eddy::future<eddy::result<client>> client::connect(std::string address) {
  auto stream = co_await eddy::or_return(eddy::net::tcp_stream::connect(std::move(address)));
  static_cast<void>(stream.set_nodelay(true));
  co_return client(std::move(stream));
}

eddy::future<eddy::result<void>> client::send(nlohmann::json message) {
  const auto text = message.dump() + '\n';
  co_await eddy::or_return(messages_.inner().write_all(text));
  co_return eddy::result<void>();
}

eddy::future<eddy::result<nlohmann::json>> client::next() {
  auto message = co_await eddy::or_return(messages_.next());
  if (!message) co_return eddy::error(eddy::errc::closed, "the server has closed the connection");
  co_return *std::move(message);
}

eddy::future<eddy::result<nlohmann::json>> client::next(std::string event) {
  for (;;) {
    auto message = co_await eddy::or_return(next());
    if (event_of(message) == event) co_return std::move(message);
  }
}

std::string event_of(const nlohmann::json& message) { return text_of(message, "event"); }

double number_of(const nlohmann::json& message, const char* name) {
  if (!message.is_object()) return 0;
  const auto found = message.find(name);
  return found != message.end() && found->is_number() ? found->get<double>() : 0;
}

std::string text_of(const nlohmann::json& message, const char* name) {
  if (!message.is_object()) return {};
  const auto found = message.find(name);
  return found != message.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace ticker
