#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <eddy/codec/framed_read.hpp>
#include <eddy/codec/json.hpp>
#include <eddy/eddy.hpp>
#include <nlohmann/json.hpp>

namespace ticker {

/// A client's side of a connection: sends requests and reads messages.
class client {
 public:
  static eddy::future<eddy::result<client>> connect(std::string address);
  explicit client(eddy::net::tcp_stream stream)
      : messages_(std::move(stream), eddy::codec::json_lines<>()) {}

  eddy::future<eddy::result<void>> send(nlohmann::json message);
  /// Returns the server's next message. Errors: `errc::closed` at the end of the connection.
  eddy::future<eddy::result<nlohmann::json>> next();
  /// Returns the next message with that event, and skips all others. Errors: as `next()`.
  eddy::future<eddy::result<nlohmann::json>> next(std::string event);

 private:
  eddy::codec::framed_read<eddy::net::tcp_stream, eddy::codec::json_lines<>> messages_;
};

/// Returns the message's event, or an empty string if it has none.
std::string event_of(const nlohmann::json& message);
/// Returns a number of the message, or 0 if it is missing.
double number_of(const nlohmann::json& message, const char* name);
/// Returns a string of the message, or an empty one if it is missing.
std::string text_of(const nlohmann::json& message, const char* name);

}  // namespace ticker
