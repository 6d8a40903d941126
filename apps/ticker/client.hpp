#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <eddy/codec/framed_read.hpp>
#include <eddy/codec/json.hpp>
#include <eddy/eddy.hpp>
#include <nlohmann/json.hpp>

namespace ticker {

/// The client's side of a connection.
class client {
 public:
  static eddy::future<eddy::result<client>> connect(std::string address);
  explicit client(eddy::net::tcp_stream stream)
      : messages_(std::move(stream), eddy::codec::json_lines<>()) {}

  eddy::future<eddy::result<void>> send(nlohmann::json message);
  /// The server's next message. Errors: also the end of the connection.
  eddy::future<eddy::result<nlohmann::json>> next();
  /// Reads on until an event of that name comes. Errors: as `next`.
  eddy::future<eddy::result<nlohmann::json>> next(std::string event);

 private:
  eddy::codec::framed_read<eddy::net::tcp_stream, eddy::codec::json_lines<>> messages_;
};

/// The message's event; empty: it has none.
std::string event_of(const nlohmann::json& message);
/// A number of the message's; 0 when it is not there.
double number_of(const nlohmann::json& message, const char* name);
/// A string of the message's; empty when it is not there.
std::string text_of(const nlohmann::json& message, const char* name);

}  // namespace ticker
