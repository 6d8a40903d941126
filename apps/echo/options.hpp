#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace echo {

struct server_options {
  std::string bind = "127.0.0.1:7777";
  std::size_t max_connections = 0;  // per loop; 0: limited only by the number of descriptors
  std::uint32_t threads = 1;        // each has a loop and a listener; the listeners share the port
};

struct client_options {
  std::string connect;
  std::size_t connections = 50;
  std::size_t size = 64;  // bytes per request
  std::chrono::milliseconds duration{10'000};
  std::uint64_t requests = 0;  // of all connections together; 0: as many as the duration allows
  bool json = false;
};

struct options {
  enum class command { help, server, client, demo } what = command::help;
  server_options server;
  client_options client;
};

/// Parses the command line. On a mistake it prints one line and the usage to standard error and
/// returns false.
bool parse(int argc, char** argv, options& out);
void print_usage(std::FILE* to);

}  // namespace echo
