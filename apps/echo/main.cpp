// eddy-echo: a TCP echo server, its load client, and both in one process.

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "client.hpp"
#include "options.hpp"
#include "server.hpp"
#include "stop_signal.hpp"

namespace {

using eddy::sync::cancellation_token;

int fail(const eddy::error& e) {
  std::fprintf(stderr, "eddy-echo: %s\n", e.message().c_str());
  return 1;
}

using servers = std::vector<std::unique_ptr<echo::server>>;

void print_served(const servers& all) {
  unsigned long long connections = 0;
  unsigned long long requests = 0;
  unsigned long long bytes = 0;
  for (const auto& s : all) {
    connections += s->connections();
    requests += s->requests();
    bytes += s->bytes();
  }
  std::printf("served %llu connections, %llu requests, %llu bytes\n", connections, requests, bytes);
}

eddy::future<> stop_on_signal(cancellation_token stop, eddy::future<> signal) {
  static_cast<void>(co_await eddy::attempt(std::move(signal)));
  stop.cancel();
}

eddy::future<> stop_when_cancelled(echo::server& s, cancellation_token stop) {
  co_await stop.cancelled();
  s.stop();
}

auto start(echo::server& s) { return s.start(); }

/// Serves on one loop until `stop` is cancelled. If serving ends by itself, cancels `stop` for the
/// other loops.
eddy::future<eddy::result<void>> serve(echo::server& s, cancellation_token stop) {
  auto stopper = eddy::spawn_local(stop_when_cancelled(s, stop));
  auto outcome = co_await s.serve();
  stop.cancel();
  co_await stopper;
  co_return outcome;
}

eddy::future<int> run_servers(echo::server_options options) {
  servers all;
  for (std::uint32_t i = 0; i < options.threads; ++i) {
    auto& s = *all.emplace_back(std::make_unique<echo::server>(options));
    auto address = co_await eddy::spawn_on(i, start, std::ref(s));
    if (!address) co_return fail(address.error());
    options.bind = address->to_string();  // the other listeners share the first one's port
  }
  auto signal = echo::stop_signal();
  if (!signal) co_return fail(signal.error());
  std::printf("listening on %s\n", options.bind.c_str());
  std::fflush(stdout);
  const cancellation_token stop;
  eddy::spawn_local(stop_on_signal(stop, *std::move(signal)));
  std::vector<eddy::join_handle<eddy::result<void>>> serving;
  for (std::uint32_t i = 0; i < options.threads; ++i)
    serving.push_back(eddy::spawn_on(i, serve, std::ref(*all[i]), stop));
  eddy::result<void> outcome;
  for (auto& each : serving) {
    auto r = co_await each;
    if (!r && outcome) outcome = std::move(r);
  }
  if (!outcome) co_return fail(outcome.error());
  print_served(all);
  co_return 0;
}

int run_server(echo::server_options options) {
#if EDDY_POOL
  if (options.threads > 1) {
    auto pool = eddy::runtime::builder().multi_loop().worker_threads(options.threads).build();
    return pool.block_on(run_servers(std::move(options)));
  }
#endif
  return eddy::run(run_servers(std::move(options)));
}

eddy::future<int> run_load(echo::client_options options) {
  const auto shown = options;
  auto r = co_await echo::run_client(std::move(options));
  if (!r) co_return fail(r.error());
  echo::print_report(*r, shown);
  co_return 0;
}

eddy::future<int> run_demo(echo::client_options options) {
  servers all;
  auto& server = *all.emplace_back(
      std::make_unique<echo::server>(echo::server_options{.bind = "127.0.0.1:0"}));
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
  print_served(all);
  co_return status;
}

}  // namespace

int main(int argc, char** argv) {
  echo::options options;
  if (!echo::parse(argc, argv, options)) return 2;
  switch (options.what) {
    case echo::options::command::server:
      return run_server(std::move(options.server));
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
