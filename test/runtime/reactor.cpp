#include "runtime/reactor.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

#include "support/leak_check.hpp"
#include "support/mock_task.hpp"
#include "support/runtime_access.hpp"

namespace {

using eddy::detail::direction;
using eddy::detail::io_waiter;
using eddy::detail::registration;
using eddy::detail::wait_result;

/// A watched descriptor and the plain other end of it.
struct watched {
  registration handle;
  int peer = -1;

  watched() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    handle = std::move(registration::adopt(fds[0], "test").value());
    peer = fds[1];
  }
  watched(const watched&) = delete;
  ~watched() { ::close(peer); }
  void send(const char* text = "x") const { REQUIRE(::write(peer, text, 1) == 1); }
  void take() const {
    char c = 0;
    REQUIRE(::read(handle.fd(), &c, 1) == 1);
  }
};

/// Waits for one kind of readiness; polled by hand.
struct wait {
  const registration& handle;
  direction kind = direction::read;
  test::mock_task task{};
  io_waiter waiter{};
  std::uint16_t tick = 0;

  wait_result poll() {
    eddy::context cx(task);
    tick = handle.state().tick();
    return handle.state().poll_ready(kind, waiter, cx);
  }
};

void look() { ::uv_run(test::here().native(), UV_RUN_NOWAIT); }
std::uint64_t changes() { return test::here().io().changes(); }

/// Runs an ordinary function on a loop.
template <class F>
void on_a_loop(F f) {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([](F* body) -> eddy::future<> {
    (*body)();
    co_return;
  }(&f));
}

}  // namespace

TEST_CASE("a new descriptor counts as writable and not as readable") {
  on_a_loop([] {
    const watched w;
    w.send();
    wait reading{w.handle}, writing{w.handle, direction::write};
    CHECK(reading.poll() == wait_result::waiting);
    CHECK(writing.poll() == wait_result::ready);
    CHECK(changes() == 1);  // reading only
    look();
    CHECK(reading.task.take_wakes() == 1);
    CHECK(reading.poll() == wait_result::ready);
  });
}

TEST_CASE("while everything is read at once, what is watched does not change") {
  on_a_loop([] {
    const watched w;
    for (int i = 0; i < 100; ++i) {
      wait reading{w.handle};
      CHECK(reading.poll() == wait_result::waiting);
      w.send();
      look();
      CHECK(reading.task.take_wakes() == 1);
      REQUIRE(reading.poll() == wait_result::ready);
      w.take();
      w.handle.state().clear(direction::read, reading.tick);
    }
    CHECK(changes() == 1);
  });
}

TEST_CASE("an event nobody waits for is taken once, and ends the watching when it repeats") {
  on_a_loop([] {
    const watched w;
    wait reading{w.handle};
    CHECK(reading.poll() == wait_result::waiting);
    w.send();
    look();
    CHECK(reading.poll() == wait_result::ready);
    w.take();
    w.handle.state().clear(direction::read, reading.tick);

    w.send();  // while the task is busy elsewhere
    look();
    CHECK(changes() == 1);
    look();  // still not read
    CHECK(changes() == 2);
    for (int i = 0; i < 100; ++i) look();
    CHECK(changes() == 2);
    CHECK(reading.task.take_wakes() == 1);

    CHECK(reading.poll() == wait_result::ready);  // and it was not forgotten
    w.take();
    w.handle.state().clear(direction::read, reading.tick);
    CHECK(reading.poll() == wait_result::waiting);  // watched again
    CHECK(changes() == 3);
    w.send();
    look();
    CHECK(reading.task.take_wakes() == 1);
  });
}

TEST_CASE("a descriptor that stays writable is watched for that only while somebody waits") {
  on_a_loop([] {
    const watched w;
    std::string block(1 << 16, 'b');
    while (::send(w.handle.fd(), block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
    }
    w.handle.state().clear_now(direction::write);
    wait writing{w.handle, direction::write};
    CHECK(writing.poll() == wait_result::waiting);
    look();
    CHECK(!writing.task.is_woken());
    while (::recv(w.peer, block.data(), block.size(), MSG_DONTWAIT) > 0) {
    }
    look();
    CHECK(writing.task.take_wakes() == 1);
    CHECK(writing.poll() == wait_result::ready);
    CHECK(changes() == 1);
    for (int i = 0; i < 10; ++i) look();
    CHECK(changes() == 2);
    // A new kind takes a useless one's place in one change.
    w.handle.state().clear_now(direction::write);
    CHECK(writing.poll() == wait_result::waiting);
    look();
    CHECK(changes() == 3);
    wait reading{w.handle};
    CHECK(reading.poll() == wait_result::waiting);
    CHECK(changes() == 4);
    for (int i = 0; i < 10; ++i) look();
    CHECK(changes() == 4);
  });
}

TEST_CASE("readiness seen after an event came is not cleared away with it") {
  on_a_loop([] {
    const watched w;
    wait reading{w.handle};
    CHECK(reading.poll() == wait_result::waiting);
    w.send();
    look();
    CHECK(reading.poll() == wait_result::ready);
    const auto old = reading.tick;
    look();  // a second event
    w.handle.state().clear(direction::read, old);
    CHECK(reading.poll() == wait_result::ready);
    w.handle.state().clear(direction::read, reading.tick);
    CHECK(reading.poll() == wait_result::waiting);
  });
}

TEST_CASE("all who wait are woken, and who has gone is not") {
  on_a_loop([] {
    const watched w;
    wait first{w.handle}, second{w.handle};
    CHECK(first.poll() == wait_result::waiting);
    {
      wait gone{w.handle};
      CHECK(gone.poll() == wait_result::waiting);
    }
    CHECK(second.poll() == wait_result::waiting);
    CHECK(second.poll() == wait_result::waiting);  // twice is once
    w.send();
    look();
    CHECK(first.task.take_wakes() == 1);
    CHECK(second.task.take_wakes() == 1);
    // One takes it; the other waits again and misses nothing.
    w.take();
    CHECK(first.poll() == wait_result::ready);
    w.handle.state().clear(direction::read, first.tick);
    CHECK(second.poll() == wait_result::waiting);
    w.send();
    look();
    CHECK(second.task.take_wakes() == 1);
    CHECK(first.task.take_wakes() == 0);
  });
}

TEST_CASE("an error of the socket makes both kinds ready") {
  on_a_loop([] {
    // A connection to a port that is bound and where nobody listens.
    const int bound = ::socket(AF_INET, SOCK_STREAM, 0);
    ::sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::socklen_t size = sizeof at;
    auto* const address = reinterpret_cast<::sockaddr*>(&at);
    REQUIRE(::bind(bound, address, size) == 0);
    REQUIRE(::getsockname(bound, address, &size) == 0);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const auto h = registration::adopt(fd, "test");
    REQUIRE(h.has_value());
    h->state().clear_now(direction::write);
    REQUIRE(::connect(fd, address, size) == -1);
    wait reading{*h}, writing{*h, direction::write};
    CHECK(reading.poll() == wait_result::waiting);
    CHECK(writing.poll() == wait_result::waiting);
    look();
    CHECK(reading.task.take_wakes() == 1);
    CHECK(writing.task.take_wakes() == 1);
    // libuv has stopped watching; who waits again is watched again, and told again.
    h->state().clear_now(direction::read);
    CHECK(reading.poll() == wait_result::waiting);
    look();
    CHECK(reading.task.take_wakes() == 1);
    ::close(bound);
  });
}

TEST_CASE("a descriptor is registered once") {
  on_a_loop([] {
    const watched w;
    const auto again = registration::adopt(w.handle.fd(), "test");
    REQUIRE(!again.has_value());
    CHECK(again.error() == std::errc::file_exists);
    wait reading{w.handle};  // the first one is as it was
    CHECK(reading.poll() == wait_result::waiting);
    w.send();
    look();
    CHECK(reading.task.take_wakes() == 1);
  });
}

TEST_CASE("what cannot be watched is always ready") {
  on_a_loop([] {
    const auto h = registration::adopt(::open("/dev/null", O_RDWR | O_CLOEXEC), "test");
    REQUIRE(h.has_value());
    wait reading{*h}, writing{*h, direction::write};
    CHECK(reading.poll() == wait_result::ready);
    h->state().clear(direction::read, reading.tick);
    h->state().clear_now(direction::write);
    CHECK(reading.poll() == wait_result::ready);
    CHECK(writing.poll() == wait_result::ready);
    CHECK(test::here().io().live() == 0);
  });
}

TEST_CASE("what is no descriptor is refused") {
  on_a_loop([] {
    CHECK(registration::adopt(-1, "test").error() == std::errc::bad_file_descriptor);
    CHECK(registration::adopt(1 << 20, "test").error() == std::errc::bad_file_descriptor);
    CHECK(test::here().io().live() == 0);
  });
}

TEST_CASE("dropping closes the registration at once and the descriptor at the next turn") {
  on_a_loop([] {
    auto w = std::make_unique<watched>();
    const watched other;
    const int fd = w->handle.fd();
    CHECK(test::here().io().live() == 2);
    wait descriptor{other.handle};
    {
      eddy::context cx(descriptor.task);
      other.handle.state().wait_for_descriptor(descriptor.waiter, cx);
    }
    w.reset();
    CHECK(test::here().io().closing() == 1);
    CHECK(::fcntl(fd, F_GETFD) != -1);
    CHECK(!descriptor.task.is_woken());
    look();
    CHECK(test::here().io().live() == 1);
    CHECK(test::here().io().closing() == 0);
    CHECK(::fcntl(fd, F_GETFD) == -1);
    CHECK(descriptor.task.take_wakes() == 1);
  });
}

TEST_CASE("a descriptor closed and opened again in one batch is another one") {
  on_a_loop([] {
    const watched stays;
    for (int i = 0; i < 50; ++i) {
      const watched w;
      wait reading{w.handle};
      CHECK(reading.poll() == wait_result::waiting);
      w.send();
      look();
      CHECK(reading.task.take_wakes() == 1);
    }
  });
}
