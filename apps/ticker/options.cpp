#include "options.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <string_view>
#include <system_error>
#include <utility>

#include <eddy/config.hpp>

#include "pairs.hpp"

namespace ticker {

namespace {

constexpr std::size_t most_clients = 100'000;

bool complain(const std::string& what) {
  std::fprintf(stderr, "eddy-ticker: %s\n", what.c_str());
  print_usage(stderr);
  return false;
}

template <class N>
bool to_number(std::string_view text, N least, N most, N& out) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc{} && end == text.data() + text.size() && out >= least && out <= most;
}

/// True if the text ends in a port. The lookup checks the host.
bool has_port(std::string_view text) {
  const auto colon = text.rfind(':');
  std::uint32_t port = 0;
  return colon != 0 && colon != std::string_view::npos &&
         to_number<std::uint32_t>(text.substr(colon + 1), 0, UINT16_MAX, port);
}

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  for (const auto each : names)
    if (name == each) return true;
  return false;
}

bool is_known(options::command what, std::string_view name) {
  switch (what) {
    case options::command::serve:
      return one_of(name, {"--bind", "--symbols", "--rate", "--seed", "--replay", "--speed",
                           "--threads", "--metrics"});
    case options::command::watch:
      return one_of(name, {"--connect", "--pair"});
    case options::command::load:
      return one_of(name, {"--connect", "--clients", "--pairs", "--seconds"});
    case options::command::demo:
      return one_of(name, {"--symbols", "--rate", "--seed", "--clients", "--pairs", "--seconds"});
    case options::command::help:
      break;
  }
  return false;
}

/// Sets an option. Returns null, or a description of the values that the option accepts.
const char* set(options& out, std::string_view name, std::string_view value) {
  double seconds = 0;
  if (one_of(name, {"--bind", "--connect", "--metrics"})) {
    if (!has_port(value)) return "host:port";
    (name == "--bind"                      ? out.serve.bind
     : name == "--metrics"                 ? out.serve.metrics
     : out.what == options::command::watch ? out.watch.connect
                                           : out.load.connect) = value;
  } else if (name == "--symbols") {
    out.serve.symbols = value;
  } else if (name == "--replay") {
    out.serve.replay = value;
  } else if (name == "--pair") {
    for (auto& each : split_list(value)) out.watch.pairs.push_back(std::move(each));
  } else if (name == "--rate") {
    if (!to_number(value, 0.001, 1e6, out.serve.rate)) return "0.001 to 1000000 ticks per second";
  } else if (name == "--seed") {
    if (!to_number<std::uint64_t>(value, 0, UINT64_MAX, out.serve.seed)) return "a whole number";
  } else if (name == "--speed") {
    if (!to_number(value, 0.001, 1e6, out.serve.speed)) return "0.001 to 1000000";
  } else if (name == "--threads") {
    if (!to_number<std::uint32_t>(value, 1, EDDY_POOL ? 256 : 1, out.serve.threads))
      return EDDY_POOL ? "1 to 256" : "1: this program was built without the pool";
  } else if (name == "--clients") {
    if (!to_number<std::size_t>(value, 1, most_clients, out.load.clients)) return "1 to 100000";
  } else if (name == "--pairs") {
    if (!to_number<std::size_t>(value, 1, 256, out.load.pairs)) return "1 to 256";
  } else {
    if (!to_number(value, 0.001, 86'400.0, seconds)) return "0.001 to 86400 seconds";
    out.load.duration =
        std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
  }
  return nullptr;
}

}  // namespace

void print_usage(std::FILE* to) {
  std::fputs(
      "usage: eddy-ticker serve [--bind ADDR] [--symbols FILE|LIST|N] [--rate N] [--seed N]\n"
      "                         [--replay FILE [--speed X]] [--threads N] [--metrics ADDR]\n"
      "       eddy-ticker watch --connect ADDR --pair LIST\n"
      "       eddy-ticker load --connect ADDR [--clients N] [--pairs N] [--seconds S] [--json]\n"
      "       eddy-ticker demo [--symbols FILE|LIST|N] [--rate N] [--seed N] [--clients N]\n"
      "                        [--pairs N] [--seconds S]\n"
      "ADDR is host:port or [ipv6]:port; port 0 means any free port. A LIST is separated by "
      "commas.\n",
      to);
}

bool parse(int argc, char** argv, options& out) {
  using command = options::command;
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (one_of(verb, {"help", "--help", "-h"})) return true;
  if (!one_of(verb, {"serve", "watch", "load", "demo"}))
    return complain(verb.empty() ? "a command is missing"
                                 : "unknown command '" + std::string(verb) + "'");
  out.what = verb == "serve"   ? command::serve
             : verb == "watch" ? command::watch
             : verb == "load"  ? command::load
                               : command::demo;
  bool walk = false;   // true if an option of the random walk was given
  bool speed = false;  // true if --speed was given
  for (int i = 2; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (one_of(name, {"--help", "-h"})) {
      out.what = command::help;
      return true;
    }
    if (out.what == command::load && name == "--json") {
      out.load.json = true;
      continue;
    }
    if (!is_known(out.what, name)) return complain("unknown option '" + std::string(name) + "'");
    if (i + 1 == argc) return complain(std::string(name) + " needs a value");
    const std::string_view value = argv[++i];
    if (const char* const accepted = set(out, name, value))
      return complain(std::string(name) + " takes " + accepted + ", not '" + std::string(value) +
                      "'");
    walk = walk || one_of(name, {"--symbols", "--rate", "--seed"});
    speed = speed || name == "--speed";
  }
  if (walk && !out.serve.replay.empty())
    return complain(
        "--replay excludes --symbols, --rate and --seed: a recording has its own pairs and times");
  if (speed && out.serve.replay.empty()) return complain("--speed needs --replay");
  if (out.what == command::watch && (out.watch.connect.empty() || out.watch.pairs.empty()))
    return complain("watch needs --connect ADDR and --pair LIST");
  if (out.what == command::load && out.load.connect.empty())
    return complain("load needs --connect ADDR");
  return true;
}

}  // namespace ticker
