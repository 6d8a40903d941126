#include "watch.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <unistd.h>
#include <utility>

#include "client.hpp"
#include "protocol.hpp"

namespace ticker {

namespace {

using namespace std::chrono_literals;

constexpr auto silence = 5s;  // a live server sends something every second
constexpr auto first_pause = 250ms;
constexpr auto longest_pause = 8000ms;
constexpr auto redraw_time = 100ms;

/// The table on the screen.
class table {
 public:
  void set(const nlohmann::json& message) {
    rows_[text_of(message, "pair")] = message;
    if (!terminal_) print(message);
    changed_ = terminal_;
  }
  void note(std::string text) {
    if (!terminal_) std::fprintf(stderr, "eddy-ticker: %s\n", text.c_str());
    note_ = std::move(text);
    changed_ = terminal_;
  }
  void draw() {
    if (!std::exchange(changed_, false)) return;
    if (drawn_ != 0)
      std::printf("\033[%zuA", drawn_);  // moves up to the previous table's first line
    std::printf("\033[J%-20s %14s %14s %14s %14s\n", "pair", "last", "bid", "ask", "volume");
    for (const auto& [pair, message] : rows_) print(message);
    std::printf("%s\n", note_.c_str());
    std::fflush(stdout);
    drawn_ = rows_.size() + 2;
  }

 private:
  static void print(const nlohmann::json& message) {
    std::printf("%-20s %14.2f %14.2f %14.2f %14.3f\n", text_of(message, "pair").c_str(),
                number_of(message, "last"), number_of(message, "bid"), number_of(message, "ask"),
                number_of(message, "volume"));
    std::fflush(stdout);
  }

  std::map<std::string, nlohmann::json> rows_;
  std::string note_;
  std::size_t drawn_ = 0;  // lines of the previous table
  bool changed_ = false;
  const bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
};

eddy::future<> redraw(table& screen) {
  for (;;) {
    co_await eddy::sleep(redraw_time);
    screen.draw();
  }
}

/// Shows quotes until the connection fails. Sets `refused` if the server does not know a pair.
eddy::future<eddy::result<void>> follow(const watch_options& options, table& screen,
                                        std::chrono::milliseconds& pause, bool& refused) {
  auto one = co_await eddy::or_return(client::connect(options.connect));
  auto request = subscribe_request(options.pairs, feed::ticker);
  co_await eddy::or_return(one.send(std::move(request)));
  screen.note("connected to " + options.connect);
  for (;;) {
    auto message = co_await eddy::attempt(eddy::timeout(silence, one.next()));
    if (!message) co_return std::move(message).error();
    pause = first_pause;
    const auto event = event_of(*message);
    if (event == "ticker") screen.set(*message);
    if (event == "lag") screen.note("too slow: some messages were missed");
    refused = event == "subscriptionStatus" && text_of(*message, "status") == "error";
    if (refused)
      co_return eddy::error::system(
          EINVAL, "subscribe",
          text_of(*message, "pair") + ": " + text_of(*message, "errorMessage"));
  }
}

}  // namespace

eddy::future<eddy::result<void>> run_watch(watch_options options) {
  table screen;
  const eddy::abort_on_drop drawing(eddy::spawn(redraw, std::ref(screen)));
  std::minstd_rand random(std::random_device{}());
  std::chrono::milliseconds pause = first_pause;
  for (bool refused = false;;) {
    auto r = co_await follow(options, screen, pause, refused);
    if (refused) co_return r;
    // Up to a quarter longer, so that clients that were cut off together do not come back together.
    const auto wait = pause + pause * (random() % 250) / 1000;
    screen.note(r.error().message() + "; again in " + std::to_string(wait.count()) + " ms");
    co_await eddy::sleep(wait);
    pause = std::min(2 * pause, longest_pause);
  }
}

}  // namespace ticker
