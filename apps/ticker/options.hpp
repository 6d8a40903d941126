#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace ticker {

struct serve_options {
  std::string bind = "127.0.0.1:7788";
  std::string symbols = "BTC/USD,ETH/USD,SOL/USD,XRP/USD,ADA/USD,DOT/USD,LTC/USD,XMR/USD";
  double rate = 100;       // ticks per second
  std::uint64_t seed = 1;  // of the random walk
  std::string replay;      // path of a recording; empty: a random walk
  double speed = 1;        // of the recording
  std::string metrics;     // address of the metrics; empty: none
  std::uint32_t threads = 1;
};

struct watch_options {
  std::string connect;
  std::vector<std::string> pairs;
};

struct load_options {
  std::string connect;
  std::size_t clients = 100;
  std::size_t pairs = 10;  // per client
  std::chrono::milliseconds duration{10'000};
  bool json = false;
};

struct options {
  enum class command { help, serve, watch, load, demo } what = command::help;
  serve_options serve;
  watch_options watch;
  load_options load;
};

/// Parses the command line. On a mistake it prints one line and the usage to standard error and
/// returns false.
bool parse(int argc, char** argv, options& out);
void print_usage(std::FILE* to);

}  // namespace ticker
