#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace echo {

struct server_options {
  std::string bind = "127.0.0.1:7777";
  std::size_t max_connections = 0;  // of a loop; 0: as many as there are descriptors
  std::uint32_t threads = 1;        // a loop and a listener each; they share the port
};

struct client_options {
  std::string connect;
  std::size_t connections = 50;
  std::size_t size = 64;  // bytes a request
  std::chrono::milliseconds duration{10'000};
  std::uint64_t requests = 0;  // over all connections; 0: as many as the duration allows
  bool json = false;
};

struct options {
  enum class command { help, server, client, demo } what = command::help;
  server_options server;
  client_options client;
};

/// Reads the command line. On a mistake: one line and the usage on standard error, and false.
bool parse(int argc, char** argv, options& out);
void print_usage(std::FILE* to);

}  // namespace echo
