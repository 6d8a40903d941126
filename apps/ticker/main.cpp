// eddy-ticker: a market-data feed, clients for it, and both in one process.

#include <chrono>
#include <cstdio>
#include <sys/resource.h>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/signal/shutdown.hpp>

#include "load.hpp"
#include "options.hpp"
#include "server.hpp"
#include "watch.hpp"

namespace {

int fail(const eddy::error& e) {
  std::fprintf(stderr, "eddy-ticker: %s\n", e.message().c_str());
  return 1;
}

void print_served(ticker::server& s) {
  const auto for_printf = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf("served %llu clients, %llu ticks, %llu messages, %llu missed\n",
              for_printf(s.counts().clients_total), for_printf(s.all().ticks()),
              for_printf(s.all().messages()), for_printf(s.counts().missed));
}

/// Starts the server and prints its addresses.
eddy::future<eddy::result<eddy::net::socket_address>> announce(ticker::server& s) {
  auto address = co_await eddy::or_return(s.start());
  std::printf("listening on %s\n", address.to_string().c_str());
  if (const auto metrics = s.metrics_address())
    std::printf("metrics on %s\n", metrics->to_string().c_str());
  std::fflush(stdout);
  co_return address;
}

eddy::future<int> serve(ticker::server& s) {
  const eddy::sync::cancellation_token stop;
  const eddy::abort_on_drop signals(eddy::spawn(
      [](eddy::sync::cancellation_token t) -> eddy::future<> {
        static_cast<void>(co_await eddy::attempt(eddy::signal::shutdown()));
        t.cancel();
      },
      stop));
  co_await eddy::yield_now();  // lets the task start listening for signals
  const auto address = co_await announce(s);
  if (!address) co_return fail(address.error());
  const auto outcome = co_await s.serve(stop);
  if (!outcome) co_return fail(outcome.error());
  print_served(s);
  co_return 0;
}

eddy::future<int> load(ticker::load_options options) {
  const auto shown = options;
  const auto r = co_await ticker::run_load(std::move(options));
  if (!r) co_return fail(r.error());
  ticker::print_report(*r, shown);
  co_return 0;
}

eddy::future<int> watch(ticker::watch_options options) {
  auto r = co_await eddy::attempt(
      eddy::select(ticker::run_watch(std::move(options)), eddy::signal::shutdown()));
  if (!r) co_return fail(r.error());
  if (r->index() == 0) co_return fail(r->get<0>().error());
  co_return 0;
}

eddy::future<int> demo(ticker::server& s, ticker::load_options options) {
  const eddy::sync::cancellation_token stop;
  auto address = co_await announce(s);
  if (!address) co_return fail(address.error());
  options.connect = address->to_string();
  std::printf("a server and %zu clients in one process, on one loop, for %.0f s\n", options.clients,
              std::chrono::duration<double>(options.duration).count());
  std::fflush(stdout);
  auto serving = eddy::spawn(
      [](ticker::server& of, eddy::sync::cancellation_token t) -> eddy::future<eddy::result<void>> {
        co_return co_await of.serve(t);
      },
      std::ref(s), stop);
  const int status = co_await load(std::move(options));
  stop.cancel();
  const auto outcome = co_await serving;
  if (!outcome) co_return fail(outcome.error());
  print_served(s);
  co_return status;
}

/// Makes a server and runs `body` with it, on a runtime that counts its loop's turns for the
/// metrics.
template <class Body>
int with_server(ticker::serve_options options, Body body) {
  [[maybe_unused]] const auto threads = options.threads;
  auto s = ticker::server::make(std::move(options));
  if (!s) return fail(s.error());
  auto builder = eddy::runtime::builder();
  builder.name("ticker").on_unpark([&counts = s->counts()] { ++counts.turns; });
#if EDDY_POOL
  if (threads > 1) builder.multi_loop().worker_threads(threads);
#endif
  auto rt = builder.build();
  return rt.block_on(body(*s));
}

/// Raises the descriptor limit to its maximum: each client needs one descriptor.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

}  // namespace

int main(int argc, char** argv) {
  ticker::options options;
  if (!ticker::parse(argc, argv, options)) return 2;
  raise_descriptor_limit();
  switch (options.what) {
    case ticker::options::command::serve:
      return with_server(std::move(options.serve), serve);
    case ticker::options::command::watch:
      return eddy::run(watch(std::move(options.watch)));
    case ticker::options::command::load:
      return eddy::run(load(std::move(options.load)));
    case ticker::options::command::demo:
      options.serve.bind = "127.0.0.1:0";
      return with_server(std::move(options.serve), [&options](ticker::server& s) {
        return demo(s, std::move(options.load));
      });
    case ticker::options::command::help:
      break;
  }
  ticker::print_usage(stdout);
  return 0;
}
