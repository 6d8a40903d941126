#include "client.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <span>
#include <unistd.h>
#include <utility>
#include <vector>

namespace echo {

namespace {

using namespace std::chrono_literals;

/// What the connections of one run share.
struct load {
  client_options options;
  report totals;
  std::uint64_t requests_started = 0;
  eddy::instant begin;
  eddy::instant end;
  bool failed = false;

  /// True if the connection may send another request.
  bool take_request() noexcept {
    if (failed) return false;
    if (options.requests != 0) return requests_started++ < options.requests;
    return eddy::clock::now() < end;
  }
};

/// Fills `out` with a pattern that depends on `seed`. Each request has its own seed, so an answer
/// to another request is detected.
void fill(std::vector<std::byte>& out, std::uint64_t seed) {
  for (auto& b : out) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    b = static_cast<std::byte>(seed >> 56);
  }
}

eddy::future<eddy::result<void>> exchange_messages(eddy::net::tcp_stream stream, load& shared,
                                                   std::uint64_t number) {
  std::vector<std::byte> sent(shared.options.size);
  std::vector<std::byte> got(std::min<std::size_t>(shared.options.size, 64 * 1024));
  for (std::uint64_t round = 0; shared.take_request(); ++round) {
    fill(sent, (number << 40) + round);
    const auto before = eddy::clock::now();
    // A message may be larger than the socket buffers, so write and read by turns.
    std::size_t written = 0;
    std::size_t read = 0;
    while (read < sent.size()) {
      if (written < sent.size()) {
        const auto w = stream.try_write(std::span<const std::byte>(sent).subspan(written));
        if (w) {
          written += *w;
        } else if (w.error() != std::errc::resource_unavailable_try_again) {
          co_return w.error();
        }
      }
      const auto left = std::min(got.size(), sent.size() - read);
      const auto n = co_await eddy::or_return(stream.read(std::span(got).first(left)));
      if (n == 0)
        co_return eddy::error::system(ECONNRESET, "echo client: the server closed the connection");
      if (!std::equal(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(n),
                      sent.begin() + static_cast<std::ptrdiff_t>(read)))
        co_return eddy::error::system(EBADMSG, "echo client: the answer is not what was sent");
      read += n;
    }
    const auto took = eddy::clock::now() - before;
    shared.totals.latency.record(static_cast<std::uint64_t>(took.count()));
    ++shared.totals.requests;
  }
  co_return eddy::result<void>();
}

eddy::future<eddy::result<void>> one_connection(eddy::net::tcp_stream stream, load& shared,
                                                std::uint64_t number) {
  auto outcome = co_await exchange_messages(std::move(stream), shared, number);
  if (!outcome) shared.failed = true;
  co_return outcome;
}

eddy::future<> show_progress(const load& shared) {
  std::uint64_t before = 0;
  for (;;) {
    co_await eddy::sleep(1s);
    const auto now = shared.totals.requests;
    std::fprintf(stderr, "\r%8llu requests/s, p99 so far %.1f us ",
                 static_cast<unsigned long long>(now - before),
                 static_cast<double>(shared.totals.latency.percentile(0.99)) / 1000);
    std::fflush(stderr);
    before = now;
  }
}

}  // namespace

eddy::future<eddy::result<report>> run_client(client_options options) {
  const auto shared = std::make_unique<load>();  // the tasks refer to it, and end before it
  shared->options = std::move(options);
  std::vector<eddy::net::tcp_stream> streams;
  for (std::size_t i = 0; i < shared->options.connections; ++i) {
    auto s = co_await eddy::attempt(eddy::net::tcp_stream::connect(shared->options.connect));
    if (!s) co_return std::move(s).error();
    static_cast<void>(s->set_nodelay(true));
    streams.push_back(*std::move(s));
  }
  shared->begin = eddy::clock::now();
  shared->end = shared->begin + shared->options.duration;
  std::vector<eddy::join_handle<eddy::result<void>>> tasks;
  for (std::size_t i = 0; i < streams.size(); ++i)
    tasks.push_back(eddy::spawn(one_connection(std::move(streams[i]), *shared, i)));
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  auto progress = terminal ? std::optional(eddy::spawn(show_progress(*shared))) : std::nullopt;
  eddy::result<void> outcome;
  for (auto& t : tasks) {
    auto r = co_await eddy::attempt(t);
    if (!r && outcome) outcome = std::move(r);
  }
  if (progress) {
    progress->abort();
    static_cast<void>(co_await eddy::attempt(*progress));
    std::fputs("\r\033[K", stderr);
  }
  if (!outcome) co_return std::move(outcome).error();
  shared->totals.seconds =
      std::chrono::duration<double>(eddy::clock::now() - shared->begin).count();
  co_return std::move(shared->totals);
}

void print_report(const report& r, const client_options& options) {
  const auto rate = static_cast<double>(r.requests) / r.seconds;
  const auto megabytes = rate * static_cast<double>(options.size) / 1e6;
  const auto us = [&](double share) {
    return static_cast<double>(r.latency.percentile(share)) / 1000;
  };
  const auto max = static_cast<double>(r.latency.max()) / 1000;
  if (options.json) {
    std::printf(
        "{\"connections\": %zu, \"size\": %zu, \"seconds\": %.3f, \"requests\": %llu, "
        "\"requests_per_second\": %.1f, \"megabytes_per_second\": %.3f, \"latency_us\": {\"p50\": "
        "%.1f, "
        "\"p90\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f, \"max\": %.1f}}\n",
        options.connections, options.size, r.seconds, static_cast<unsigned long long>(r.requests),
        rate, megabytes, us(0.5), us(0.9), us(0.99), us(0.999), max);
    return;
  }
  std::printf("%llu requests of %zu bytes over %zu connections in %.2f s\n",
              static_cast<unsigned long long>(r.requests), options.size, options.connections,
              r.seconds);
  std::printf("  %.0f requests/s, %.2f MB/s each way\n", rate, megabytes);
  std::printf("  latency: p50 %.1f us, p90 %.1f us, p99 %.1f us, p99.9 %.1f us, max %.1f us\n",
              us(0.5), us(0.9), us(0.99), us(0.999), max);
}

}  // namespace echo
