#include <eddy/net/tcp_listener.hpp>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <eddy/eddy.hpp>

#include "net/connection.hpp"
#include "support/any_runtime.hpp"
#include "support/few_descriptors.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

using namespace eddy::net;

TEST_CASE("accept: ready at once, ready later, dropped while waiting") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    CHECK(listener.local_addr().port() != 0);
    test::mock_task task;
    {
      auto dropped = listener.accept();
      CHECK(!task.poll(dropped).is_ready());
    }
    CHECK(task.references() == 0);
    auto later = listener.accept();
    CHECK(!task.poll(later).is_ready());
    const auto one = co_await tcp_stream::connect(listener.local_addr());
    const auto two = co_await tcp_stream::connect(listener.local_addr());
    auto [first, from_one] = co_await later;
    CHECK(from_one == one.local_addr());
    auto at_once = listener.accept();
    auto p = task.poll(at_once);
    REQUIRE(p.is_ready());
    CHECK(p->value().peer == two.local_addr());
  });
}

TEST_CASE("an accept dropped while waiting loses no connection") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    test::mock_task task;
    {
      auto dropped = listener.accept();
      CHECK(!task.poll(dropped).is_ready());
    }
    const auto c = co_await tcp_stream::connect(listener.local_addr());
    const auto [s, peer] = co_await listener.accept();
    CHECK(peer == c.local_addr());
  });
}

TEST_CASE("try_accept never waits") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    const auto nobody = listener.try_accept();
    REQUIRE(!nobody.has_value());
    CHECK(nobody.error() == std::errc::resource_unavailable_try_again);
    const auto c = co_await tcp_stream::connect(listener.local_addr());
    const auto somebody = listener.try_accept();
    REQUIRE(somebody.has_value());
    CHECK(somebody->peer == c.local_addr());
  });
}

TEST_CASE("two tasks accept on one listener, and both get theirs") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    const auto take = [](tcp_listener& l) -> eddy::future<std::uint16_t> {
      const auto [s, peer] = co_await l.accept();
      co_return peer.port();
    };
    auto a = eddy::spawn(take(listener));
    auto b = eddy::spawn(take(listener));
    co_await eddy::yield_now();
    const auto one = co_await tcp_stream::connect(listener.local_addr());
    while (!a.is_finished() && !b.is_finished()) co_await eddy::yield_now();
    const bool a_first = a.is_finished();
    if (!test::on_pool()) CHECK(a_first);  // it asked first
    const auto two = co_await tcp_stream::connect(listener.local_addr());
    const auto of_a = co_await a;
    const auto of_b = co_await b;
    CHECK((a_first ? of_a : of_b) == one.local_addr().port());
    CHECK((a_first ? of_b : of_a) == two.local_addr().port());
  });
}

TEST_CASE("an address in use is named") {
  const test::leak_check leaks;
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    const auto text = listener.local_addr().to_string();
    const auto again = co_await eddy::attempt(tcp_listener::bind(text));
    REQUIRE(!again.has_value());
    CHECK(again.error() == std::errc::address_in_use);
    CHECK(again.error().message() == "bind " + text + ": address already in use");
    const auto foreign = co_await eddy::attempt(tcp_listener::bind("203.0.113.7:0"));
    REQUIRE(!foreign.has_value());
    CHECK(foreign.error() == std::errc::address_not_available);
    const auto wrong = co_await eddy::attempt(tcp_listener::bind("127.0.0.1"));
    REQUIRE(!wrong.has_value());
    CHECK(wrong.error() == std::errc::invalid_argument);
  });
}

TEST_CASE("a name can be bound, and an address") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    const auto by_name = co_await tcp_listener::bind("localhost:0");
    CHECK(by_name.local_addr().is_loopback());
    const auto by_address = co_await tcp_listener::bind(socket_address::loopback_v4(0));
    CHECK(by_address.local_addr().is_loopback());
  });
}

TEST_CASE("listeners share a port when all ask for it") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    const listen_options shared{.reuse_port = true};
    auto one = co_await tcp_listener::bind("127.0.0.1:0", shared);
    const auto at = one.local_addr();
    auto two = co_await tcp_listener::bind(at, shared);
    CHECK(two.local_addr() == at);
    const auto third = co_await eddy::attempt(tcp_listener::bind(at));
    CHECK(!third.has_value());
    const auto c = co_await tcp_stream::connect(at);
    // Whichever of the two the system gave it to.
    int got = 0;
    for (auto* l : {&one, &two}) {
      const auto a = l->try_accept();
      if (a) ++got;
    }
    CHECK(got == 1);
  });
}

TEST_CASE("a listener on every address takes IPv4 too, unless told not to") {
  eddy::runtime rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto both = co_await eddy::attempt(tcp_listener::bind("[::]:0"));
    if (!both) co_return;  // no IPv6 here
    const auto c =
        co_await tcp_stream::connect(socket_address::loopback_v4(both->local_addr().port()));
    auto only = co_await tcp_listener::bind("[::]:0", listen_options{.only_v6 = true});
    const auto refused = co_await eddy::attempt(
        tcp_stream::connect(socket_address::loopback_v4(only.local_addr().port())));
    REQUIRE(!refused.has_value());
    CHECK(refused.error() == std::errc::connection_refused);
  });
}

TEST_CASE("out of descriptors, accept goes on when one is closed") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> eddy::future<> {
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    std::vector<tcp_stream> clients;
    for (int i = 0; i < 3; ++i)
      clients.push_back(co_await tcp_stream::connect(listener.local_addr()));
    const auto first = co_await listener.accept();  // from here on it knows that more wait
    const auto refused = [&] {
      const test::few_descriptors none;
      return listener.try_accept();
    }();
    REQUIRE(!refused.has_value());
    CHECK(refused.error() == std::errc::too_many_files_open);

    const test::few_descriptors none;
    test::mock_task task;
    {
      auto dropped = listener.accept();
      CHECK(!task.poll(dropped).is_ready());
      CHECK(task.references() != 0);
    }
    CHECK(task.references() == 0);

    const auto before = eddy::clock::now();
    auto accept = listener.accept();
    CHECK(!task.poll(accept).is_ready());
    clients.erase(clients.begin());
    // The clock stands while the loop has something to do: it was the descriptor that woke it.
    while (!task.is_woken()) co_await eddy::yield_now();
    CHECK(eddy::clock::now() == before);
    auto p = task.poll(accept);
    REQUIRE(p.is_ready());
    REQUIRE(p->has_value());
  });
}

TEST_CASE("out of descriptors, accept tries again after a while, longer each time") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> eddy::future<> {
    using namespace std::chrono_literals;
    auto listener = co_await tcp_listener::bind("127.0.0.1:0");
    const auto client = co_await tcp_stream::connect(listener.local_addr());
    const auto before = eddy::clock::now();
    const auto polls_before = test::polls();
    auto accepting = eddy::spawn([](tcp_listener& l) -> eddy::future<> {
      const auto [s, peer] = co_await l.accept();
      static_cast<void>(s);
    }(listener));
    {
      const test::few_descriptors none;
      co_await eddy::sleep(10s);
      CHECK(!accepting.is_finished());
      // 1, 2, 4 … 512 ms, then every second: 10 tries in the first second and 9 after it.
      CHECK(test::polls() - polls_before < 30);
      CHECK(test::polls() - polls_before > 15);
    }
    co_await accepting;
    CHECK(eddy::clock::now() - before > 10s);
    CHECK(eddy::clock::now() - before <= 11s + 1ms);
  });
}
