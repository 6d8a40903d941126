#include <eddy/net/async_fd.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

#include "support/any_runtime.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

using namespace eddy::net;

namespace {

/// Two Unix sockets connected to each other; the test's own.
struct pair {
  pair() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    a = fds[0];
    b = fds[1];
  }
  pair(const pair&) = delete;
  ~pair() {
    close(a);
    close(b);
  }
  static void close(int& fd) {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
  void put(std::size_t n = 1) const { CHECK(::write(b, "01234567", n) == static_cast<ssize_t>(n)); }
  int take_a() { return std::exchange(a, -1); }

  int a = -1;
  int b = -1;
};

ssize_t read_some(int fd) {
  char buf[512];
  return ::read(fd, buf, sizeof buf);
}

std::size_t fill(int fd) {
  const std::string block(512, 'f');
  std::size_t sum = 0;
  for (ssize_t n = 0; (n = ::write(fd, block.data(), block.size())) > 0;)
    sum += static_cast<std::size_t>(n);
  return sum;
}

const auto would_block = [] { return eddy::result<int>(eddy::error::system(EAGAIN, "test")); };
const auto fine = [] { return eddy::result<int>(1); };

}  // namespace

TEST_CASE("at first a descriptor is writable, not readable; cleared readiness waits for an event") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    pair ends;
    auto fd = async_fd::adopt(ends.take_a()).value();
    test::mock_task task;
    auto writable = fd.writable();
    CHECK(task.assert_ready(writable).has_value());
    auto readable = fd.readable();
    task.assert_pending(readable);
    ends.put();
    auto readiness = co_await readable;
    const auto n = readiness.try_io(read_some, fd.native_handle());
    CHECK(n.value() == 1);
    auto still = fd.readable();  // nobody has said that it is empty
    CHECK(task.assert_ready(still).has_value());
    readiness.clear_ready();
    auto later = fd.readable();
    task.assert_pending(later);
    ends.put();
    auto again = co_await later;
    again.clear_ready();
  });
}

TEST_CASE(
    "what says EAGAIN clears readiness, what succeeds does not, and an event in between stays") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    pair ends;
    auto fd = async_fd::adopt(ends.take_a()).value();
    ends.put();
    auto readiness = co_await fd.readable();
    CHECK(read_some(fd.native_handle()) == 1);
    test::mock_task task;
    CHECK(readiness.try_io(fine).value() == 1);
    auto still = fd.readable();
    CHECK(task.assert_ready(still).has_value());
    CHECK(!readiness.try_io(would_block).has_value());
    auto empty = fd.readable();
    task.assert_pending(empty);
    ends.put();
    auto newer = co_await empty;
    readiness.clear_ready();  // of before that event: says nothing
    auto there = fd.readable();
    CHECK(task.assert_ready(there).has_value());
    static_cast<void>(newer);
  });
}

TEST_CASE("a full descriptor is writable when there is room again") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    pair ends;
    auto fd = async_fd::adopt(ends.take_a()).value();
    auto readiness = co_await fd.writable();
    for (;;) {
      const auto n = readiness.try_io(::write, fd.native_handle(), "12345678", std::size_t{8});
      if (n) continue;
      CHECK(n.error() == std::errc::resource_unavailable_try_again);
      break;
    }
    test::mock_task task;
    auto writable = fd.writable();
    task.assert_pending(writable);
    while (read_some(ends.b) > 0) {
    }
    const auto room = co_await eddy::attempt(writable);
    CHECK(room.has_value());
  });
}

TEST_CASE("trying without waiting calls at once, and EAGAIN makes the next wait real") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    pair ends;
    auto fd = async_fd::adopt(ends.take_a()).value();
    CHECK(!fd.try_io(interest::read, read_some, fd.native_handle()).has_value());
    ends.put();
    CHECK(fd.try_io(interest::read, read_some, fd.native_handle()).value() == 1);
    CHECK(fd.try_io(interest::write, fine).value() == 1);
    test::mock_task task;
    auto ready = fd.writable();
    CHECK(task.poll(ready).is_ready());
    CHECK(!fd.try_io(interest::write, would_block).has_value());
    auto writable = fd.writable();
    task.assert_pending(writable);
    co_return;
  });
}

TEST_CASE("async_io calls again until it is not EAGAIN, and hands over errors and results") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    pair ends;
    auto fd = async_fd::adopt(ends.take_a()).value();
    auto reading = fd.async_io(interest::read, read_some, fd.native_handle());
    test::mock_task task;
    task.assert_pending(reading);
    ends.put(3);
    const auto n = co_await reading;
    CHECK(n == 3);
    const auto wrong = co_await eddy::attempt(fd.async_io(interest::write, ::close, -1));
    REQUIRE(!wrong.has_value());
    CHECK(wrong.error() == std::errc::bad_file_descriptor);
    int calls = 0;
    const auto third = co_await fd.async_io(
        interest::write,
        [](int* count) {
          return ++*count < 3 ? eddy::result<std::string>(eddy::error::system(EAGAIN, "x"))
                              : eddy::result<std::string>("three");
        },
        &calls);
    CHECK(third == "three");
  });
}

TEST_CASE(
    "ten tasks that wait for one descriptor are all woken, and one of the other direction is not") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    pair ends;
    const auto filled = fill(ends.a);
    CHECK(filled > 0);
    auto fd = async_fd::adopt(ends.take_a()).value();
    CHECK(!fd.try_io(interest::write, would_block).has_value());
    test::mock_task writer;
    auto writable = fd.writable();
    writer.assert_pending(writable);
    eddy::join_set<> set;
    std::atomic<int> waiting{0};
    for (int i = 0; i < 10; ++i)
      set.spawn(
          [](async_fd& f, std::atomic<int>& count) -> eddy::future<> {
            ++count;
            auto readiness = co_await f.readable();
            co_await eddy::yield_now();
            readiness.clear_ready();
          },
          std::ref(fd), std::ref(waiting));
    while (waiting < 10) co_await eddy::yield_now();
    ends.put();
    co_await std::move(set).join_all();
    CHECK(!writer.is_woken());
    while (read_some(ends.b) > 0) {
    }
    const auto room = co_await eddy::attempt(writable);
    CHECK(room.has_value());
  });
}

TEST_CASE("an adopted descriptor closes with its owner, a watched one stays its own") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    {
      pair ends;
      {
        const auto gone = async_fd::adopt(ends.take_a()).value();
        CHECK(read_some(ends.b) == -1);
      }
      co_await eddy::sleep(std::chrono::milliseconds(1));
      CHECK(read_some(ends.b) == 0);
    }
    pair ends;
    {
      const auto first = async_fd::watch(ends.a).value();
      const auto second = async_fd::watch(ends.a).value();
      CHECK(first.native_handle() != ends.a);
    }
    co_await eddy::sleep(std::chrono::milliseconds(1));
    CHECK(read_some(ends.b) == -1);
    CHECK(errno == EAGAIN);
  });
}

TEST_CASE(
    "a second registration of a descriptor is an error, and one that was given away starts anew") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    pair ends;
    const int number = ends.take_a();
    auto fd = async_fd::adopt(number).value();
    const auto second = async_fd::adopt(number);
    REQUIRE(!second.has_value());
    CHECK(second.error() == std::errc::file_exists);
    ends.put();
    auto readiness = co_await fd.readable();  // the first goes on
    readiness.clear_ready();
    const int given = std::move(fd).into_descriptor().value();
    auto anew = async_fd::adopt(given).value();
    auto ready = co_await anew.readable();
    CHECK(ready.try_io(read_some, given).value() == 1);
  });
}

TEST_CASE("a thousand watched descriptors whose owner closes them first leave nothing behind") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    for (int i = 0; i < 1000; ++i) {
      pair ends;
      auto fd = async_fd::watch(ends.a).value();
      test::mock_task task;
      auto waiting = fd.readable();
      task.assert_pending(waiting);
      pair::close(ends.a);
      if (i % 50 == 0) co_await eddy::yield_now();
    }
  });
}

TEST_CASE("what cannot be watched is always ready, whatever is cleared") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto fd = async_fd::adopt(::open("/dev/null", O_RDWR | O_CLOEXEC)).value();
    for (int i = 0; i < 3; ++i) {
      auto readiness = co_await fd.readable();
      readiness.clear_ready();
      auto writing = co_await fd.writable();
      writing.clear_ready();
    }
    const auto end = co_await fd.async_io(interest::read, read_some, fd.native_handle());
    CHECK(end == 0);
  });
}

TEST_CASE("what is no descriptor is refused, and left to who brought it") {
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    CHECK(async_fd::adopt(-1).error() == std::errc::bad_file_descriptor);
    CHECK(async_fd::watch(-1).error() == std::errc::bad_file_descriptor);
    pair ends;
    CHECK(async_fd::watch(ends.a).has_value());
    co_return;
  });
  pair ends;
  CHECK(async_fd::watch(ends.a).error() == eddy::errc::misuse);  // outside a runtime
  CHECK(::fcntl(ends.a, F_GETFD) != -1);
}

TEST_CASE("the end of the runtime wakes who waits for a descriptor, and is an error from then on") {
  const test::leak_check leaks;
  pair ends;
  std::optional<async_fd> fd;
  std::optional<fd_readiness> readiness;
  std::optional<eddy::runtime> rt(test::make_runtime());
  rt->block_on([](pair& p, std::optional<async_fd>& f) -> eddy::future<> {
    f = async_fd::adopt(p.take_a()).value();
    co_return;
  }(ends, fd));
  fill(fd->native_handle());
  readiness = rt->block_on(
      [](async_fd& f) -> eddy::future<fd_readiness> { co_return co_await f.writable(); }(*fd));
  readiness->clear_ready();
  test::mock_task reader, writer;
  auto readable = fd->readable();
  auto writable = fd->writable();
  rt->block_on([](auto& r, auto& w, auto& in, auto& out) -> eddy::future<> {
    r.assert_pending(in);
    w.assert_pending(out);
    co_return;
  }(reader, writer, readable, writable));
  rt.reset();
  CHECK(reader.take_wakes() == 1);
  CHECK(writer.take_wakes() == 1);
  CHECK(reader.assert_ready(readable).error() == eddy::errc::closed);
  CHECK(writer.assert_ready(writable).error() == eddy::errc::closed);
  auto future = fd->readable();
  CHECK(reader.assert_ready(future).error() == eddy::errc::closed);
  readiness->clear_ready();
  CHECK(fd->try_io(interest::write, fine).has_value());
}

TEST_CASE(
    "a wait that is woken by an event and dropped before it is polled leaves the loop in order") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    pair ends;
    test::mock_task task;
    {
      auto fd = async_fd::watch(ends.a).value();
      auto waiting = fd.readable();
      task.assert_pending(waiting);
      ends.put();
      while (!task.is_woken()) co_await eddy::yield_now();
    }
    {
      auto fd = async_fd::watch(ends.a).value();
      auto waiting = fd.readable();
      task.assert_pending(waiting);
    }  // gone before its event is looked at
    co_await eddy::sleep(std::chrono::milliseconds(1));
    CHECK(task.references() == 0);
  });
}

TEST_CASE("a descriptor's waits can be dropped at every point") {
  const auto polls = test::cut_points([]() -> eddy::future<> {
    pair ends;
    auto fd = async_fd::watch(ends.a).value();
    auto reading = eddy::spawn(
        [](async_fd f) -> eddy::future<> {
          for (int i = 0; i < 3; ++i)
            co_await f.async_io(interest::read, read_some, f.native_handle());
          auto readiness = co_await f.readable();
          readiness.clear_ready();
          auto writing = co_await f.writable();
          writing.clear_ready();
        },
        std::move(fd));
    for (int i = 0; i < 4; ++i) {
      ends.put();
      co_await eddy::yield_now();
      co_await eddy::sleep(std::chrono::milliseconds(1));
    }
    co_await reading;
  });
  CHECK(polls > 5);
}
