#include "options.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <system_error>

#include <eddy/config.hpp>

namespace echo {

namespace {

constexpr std::size_t largest_message = std::size_t{64} << 20;

bool complain(const std::string& what) {
  std::fprintf(stderr, "eddy-echo: %s\n", what.c_str());
  print_usage(stderr);
  return false;
}

bool to_number(std::string_view text, std::uint64_t least, std::uint64_t most, std::uint64_t& out) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc{} && end == text.data() + text.size() && out >= least && out <= most;
}

bool to_seconds(std::string_view text, std::chrono::milliseconds& out) {
  double seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed != std::errc{} || end != text.data() + text.size()) return false;
  if (!(seconds > 0 && seconds <= 86'400)) return false;
  out = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
  return true;
}

/// True if the text ends in a port. The lookup checks the host.
bool has_port(std::string_view text) {
  const auto colon = text.rfind(':');
  std::uint64_t port = 0;
  return colon != 0 && colon != std::string_view::npos &&
         to_number(text.substr(colon + 1), 0, UINT16_MAX, port);
}

}  // namespace

void print_usage(std::FILE* to) {
  std::fputs(
      "usage: eddy-echo server [--bind ADDR] [--threads N] [--max-connections N]\n"
      "       eddy-echo client --connect ADDR [--connections N] [--size BYTES]\n"
      "                        [--seconds S | --requests N] [--json]\n"
      "       eddy-echo demo [--connections N] [--size BYTES] [--seconds S]\n"
      "ADDR is host:port or [ipv6]:port; port 0 means any free port. Each of the N threads has "
      "its\n"
      "own loop and listener, and serves at most --max-connections at once.\n",
      to);
}

bool parse(int argc, char** argv, options& out) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  const bool server = command == "server";
  const bool client = command == "client";
  const bool demo = command == "demo";
  if (command == "help" || command == "--help" || command == "-h") return true;
  if (!server && !client && !demo)
    return complain(command.empty() ? "a command is missing"
                                    : "unknown command '" + std::string(command) + "'");
  out.what = server   ? options::command::server
             : client ? options::command::client
                      : options::command::demo;
  bool seconds = false;
  for (int i = 2; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help" || name == "-h") {
      out.what = options::command::help;
      return true;
    }
    if (client && name == "--json") {
      out.client.json = true;
      continue;
    }
    const bool known =
        (server && (name == "--bind" || name == "--threads" || name == "--max-connections")) ||
        (client && (name == "--connect" || name == "--requests")) ||
        (!server && (name == "--connections" || name == "--size" || name == "--seconds"));
    if (!known) return complain("unknown option '" + std::string(name) + "'");
    if (i + 1 == argc) return complain(std::string(name) + " needs a value");
    const std::string_view value = argv[++i];
    std::uint64_t number = 0;
    if ((name == "--bind" || name == "--connect") && !has_port(value))
      return complain(std::string(name) + " must be host:port, not '" + std::string(value) + "'");
    if (name == "--bind") {
      out.server.bind = value;
    } else if (name == "--connect") {
      out.client.connect = value;
    } else if (name == "--seconds") {
      if (!to_seconds(value, out.client.duration))
        return complain("--seconds must be above 0 and at most 86400");
      seconds = true;
    } else if (name == "--size") {
      if (!to_number(value, 1, largest_message, number))
        return complain("--size must be from 1 to " + std::to_string(largest_message) + " bytes");
      out.client.size = number;
    } else if (name == "--threads") {
      constexpr std::uint64_t most = EDDY_POOL ? 256 : 1;
      if (!to_number(value, 1, most, number))
        return complain("--threads must be a whole number from 1 to " + std::to_string(most));
      out.server.threads = static_cast<std::uint32_t>(number);
    } else {
      if (!to_number(value, 1, UINT32_MAX, number))
        return complain(std::string(name) + " must be a whole number of at least 1");
      if (name == "--max-connections")
        out.server.max_connections = number;
      else if (name == "--connections")
        out.client.connections = number;
      else
        out.client.requests = number;
    }
  }
  if (client && out.client.connect.empty()) return complain("client needs --connect ADDR");
  if (seconds && out.client.requests != 0)
    return complain("--seconds and --requests exclude each other");
  return true;
}

}  // namespace echo
