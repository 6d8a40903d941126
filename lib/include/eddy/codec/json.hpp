#pragma once

/// JSON, a value a line. Wants nlohmann_json (Debian: nlohmann-json3-dev), which nothing else here does.

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/codec/byte_buffer.hpp>
#include <eddy/codec/lines.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// Reads only to learn what is wrong, and where.
class json_fault {
 public:
  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(nlohmann::json::number_integer_t) { return true; }
  bool number_unsigned(nlohmann::json::number_unsigned_t) { return true; }
  bool number_float(nlohmann::json::number_float_t, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(nlohmann::json::binary_t&) { return true; }
  bool start_object(std::size_t) { return true; }
  bool key(std::string&) { return true; }
  bool end_object() { return true; }
  bool start_array(std::size_t) { return true; }
  bool end_array() { return true; }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::json::exception&) {
    byte = at;
    return false;
  }

  std::size_t byte = 0;
};

}  // namespace detail

namespace codec {

/// JSON values of type T, one a line: `framed peer(std::move(socket), json_lines());`. A type of yours is read and
/// written by nlohmann's `from_json` and `to_json`. Empty lines are passed over.
///
/// A line is one mebibyte long at most, unless another maximum is given. How deep values are nested is not limited
/// otherwise, and writing a value takes stack for each level of it.
/// Errors: `std::errc::message_size` for a longer line; `std::errc::protocol_error` for one that is not JSON, with
/// the byte where it ceases to be, or not a T. The next line is read behind either. A string that is not UTF-8 cannot
/// be written; without exceptions its wrong bytes are replaced.
/// Cost: what nlohmann::json costs; a value that is written is a string in between.
template <class T = nlohmann::json>
class json_lines {
 public:
  static constexpr bool resynchronises = true;
  /// Bytes of a line at most, if nothing is said.
  static constexpr std::size_t default_max_length = 1024 * 1024;

  explicit json_lines(std::size_t max_length = default_max_length) noexcept : lines_(max_length) {}

  result<std::optional<T>> decode(byte_buffer& from) {
    return parse([&] { return lines_.decode_view(from); });
  }
  result<std::optional<T>> decode_eof(byte_buffer& from) {
    return parse([&] { return lines_.decode_eof_view(from); });
  }
  result<void> encode(const T& value, byte_buffer& to) {
    if constexpr (std::is_same_v<T, nlohmann::json>)
      return write(value, to);
    else
      return write(nlohmann::json(value), to);
  }

 private:
  template <class Next>
  result<std::optional<T>> parse(Next next) {
    for (;;) {
      auto line = next();
      if (!line) return std::move(line).error();
      if (!*line) return result<std::optional<T>>(std::in_place);
      const std::string_view text = **line;
      if (text.find_first_not_of(" \t\r") == text.npos) continue;
      auto value = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
      if (value.is_discarded()) return fault(text);
      if constexpr (std::is_same_v<T, nlohmann::json>)
        return result<std::optional<T>>(std::in_place, std::move(value));
      else
        return converted(value);
    }
  }
  static error fault(std::string_view text) {
    eddy::detail::json_fault found;
    static_cast<void>(nlohmann::json::sax_parse(text.begin(), text.end(), &found));
    return wrong("not JSON from byte " + std::to_string(found.byte));
  }
  static error wrong(std::string_view why) { return error::system(EPROTO, "decode", why); }
  static result<std::optional<T>> converted(const nlohmann::json& value) {
#if EDDY_EXCEPTIONS
    try {
#endif
      return result<std::optional<T>>(std::in_place, value.get<T>());
#if EDDY_EXCEPTIONS
    } catch (const nlohmann::json::exception& e) {
      return wrong(e.what());
    }
#endif
  }
  static result<void> write(const nlohmann::json& value, byte_buffer& to) {
    using policy = nlohmann::json::error_handler_t;
    to.append(value.dump(-1, ' ', false, EDDY_EXCEPTIONS ? policy::strict : policy::replace));
    to.push_back('\n');
    return {};
  }

  lines lines_;
};

}  // namespace codec

}}  // namespace eddy::EDDY_ABI
