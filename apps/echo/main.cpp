// eddy-echo: a TCP echo server, its load client, and both in one process.

#include <cstdio>
#include <utility>

#include <eddy/eddy.hpp>

#include "client.hpp"
#include "options.hpp"
#include "server.hpp"
#include "stop_signal.hpp"

namespace {

int fail(const eddy::error& e) {
  std::fprintf(stderr, "eddy-echo: %s\n", e.message().c_str());
  return 1;
}

void print_served(const echo::server& s) {
  std::printf("served %llu connections, %llu requests, %llu bytes\n",
              static_cast<unsigned long long>(s.connections()),
              static_cast<unsigned long long>(s.requests()),
              static_cast<unsigned long long>(s.bytes()));
}

eddy::future<> stop_on_signal(echo::server& s, eddy::future<> signal) {
  static_cast<void>(co_await eddy::attempt(std::move(signal)));
  s.stop();
}

eddy::future<int> run_server(echo::server_options options) {
  echo::server server(std::move(options));
  auto address = co_await server.start();
  if (!address) co_return fail(address.error());
  auto signal = echo::stop_signal();
  if (!signal) co_return fail(signal.error());
  std::printf("listening on %s\n", address->to_string().c_str());
  std::fflush(stdout);
  eddy::spawn(stop_on_signal(server, *std::move(signal)));
  auto outcome = co_await server.serve();
  if (!outcome) co_return fail(outcome.error());
  print_served(server);
  co_return 0;
}

eddy::future<int> run_load(echo::client_options options) {
  const auto shown = options;
  auto r = co_await echo::run_client(std::move(options));
  if (!r) co_return fail(r.error());
  echo::print_report(*r, shown);
  co_return 0;
}

eddy::future<int> run_demo(echo::client_options options) {
  echo::server server({.bind = "127.0.0.1:0"});
  auto address = co_await server.start();
  if (!address) co_return fail(address.error());
  options.connect = address->to_string();
  std::printf("eddy-echo: server and client in one process, on one loop, for %.0f s\n",
              std::chrono::duration<double>(options.duration).count());
  std::printf("listening on %s\n", options.connect.c_str());
  std::fflush(stdout);
  auto serving = eddy::spawn(server.serve());
  const int status = co_await run_load(std::move(options));
  server.stop();
  auto outcome = co_await std::move(serving);
  if (!outcome) co_return fail(outcome.error());
  print_served(server);
  co_return status;
}

}  // namespace

int main(int argc, char** argv) {
  echo::options options;
  if (!echo::parse(argc, argv, options)) return 2;
  switch (options.what) {
    case echo::options::command::server:
      return eddy::run(run_server(std::move(options.server)));
    case echo::options::command::client:
      return eddy::run(run_load(std::move(options.client)));
    case echo::options::command::demo:
      return eddy::run(run_demo(std::move(options.client)));
    case echo::options::command::help:
      break;
  }
  echo::print_usage(stdout);
  return 0;
}
