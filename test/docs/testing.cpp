// The guide's snippets about testing.

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

// [guide:testing]
#include <eddy/eddy.hpp>
#include <eddy/testing.hpp>
#include <eddy/testing/doctest.hpp>

using namespace std::chrono_literals;

eddy::future<std::string> slow_answer() {
  co_await eddy::sleep(24h);
  co_return "42";
}

EDDY_TEST_CASE("a day passes at once") {
  const auto before = eddy::clock::now();
  const auto text = co_await slow_answer();
  CHECK(text == "42");
  CHECK(eddy::clock::now() - before == 24h);
}
// [/guide:testing]

namespace {

// [guide:stepping]
void step_by_hand() {
  eddy::test::mock_task task;
  auto [tx, rx] = eddy::sync::oneshot::channel<int>();
  task.assert_pending(rx);  // one poll shows that nothing has come: no sleeping
  CHECK(!task.is_woken());
  CHECK(std::move(tx).send(5).has_value());
  CHECK(task.wakes() == 1);
  CHECK(*task.assert_ready(rx) == 5);
}
// [/guide:stepping]

// [guide:in_memory]
eddy::future<> upper(eddy::io::duplex_stream s) {
  std::array<char, 64> buf{};
  while (const auto n = co_await s.read(buf)) {
    for (char& c : buf) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    co_await s.write_all(std::string_view(buf.data(), n));
  }
}

EDDY_TEST_CASE("the server answers in upper case") {
  auto [client, server] = eddy::io::duplex(16);
  auto task = eddy::spawn(upper(std::move(server)));
  co_await client.write_all("hello");
  std::string reply(5, ' ');
  for (std::size_t n = 0; n < 5;) n += co_await client.read(std::span(reply).subspan(n));
  CHECK(reply == "HELLO");
  CHECK(client.shutdown_write().has_value());
  co_await task;
}
// [/guide:in_memory]

// [guide:cutting]
eddy::future<> session() {
  auto [client, server] = eddy::io::duplex(2);
  const eddy::abort_on_drop task(eddy::spawn(upper(std::move(server))));
  const auto sent = co_await eddy::attempt(eddy::timeout(1s, client.write_all("goodbye")));
  CHECK(!sent.has_value());  // the client reads no answer, so the server stops reading
}

TEST_CASE("a session leaves nothing behind, wherever it is cut short") {
  CHECK(eddy::test::cut_points(session) > 3);
}
// [/guide:cutting]

TEST_CASE("a leaf can be polled by hand") { step_by_hand(); }

}  // namespace
