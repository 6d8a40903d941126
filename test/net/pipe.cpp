#include <eddy/net/pipe.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/io/read.hpp>

#include "net/unix_folder.hpp"
#include "support/any_runtime.hpp"
#include "support/cut_points.hpp"
#include "support/leak_check.hpp"
#include "support/mock_task.hpp"

using namespace eddy::net;

namespace {

const std::string words = "this goes through the pipe";

bool is_blocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

std::string make_fifo(const test::unix_folder& folder) {
  auto path = folder.file("fifo");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  return path;
}

eddy::future<std::string> read_words(pipe_receiver& r) {
  std::string got(words.size(), '\0');
  co_await eddy::io::read_exact(r, got);
  co_return got;
}

/// Fills the pipe: how much it took.
std::size_t fill(pipe_sender& s) {
  std::size_t sum = 0;
  for (;;) {
    const auto n = s.try_write(words);
    if (!n) {
      CHECK(n.error() == std::errc::resource_unavailable_try_again);
      return sum;
    }
    sum += *n;
  }
}

}  // namespace

TEST_CASE("a pipe: reading waits, is woken, may be dropped, and is ready at once") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [sender, receiver] = pipe().value();
    std::string buf(64, '\0');
    test::mock_task task;
    {
      auto dropped = receiver.read(buf);
      task.assert_pending(dropped);
    }
    CHECK(task.references() == 0);
    auto reading = receiver.read(buf);
    task.assert_pending(reading);
    co_await sender.write_all(words);
    while (!task.is_woken()) co_await eddy::yield_now();
    const auto n = task.assert_ready(reading);
    CHECK(n.value() == words.size());
    CHECK(buf.substr(0, words.size()) == words);

    co_await sender.write_all(words);
    co_await receiver.readable();
    auto at_once = receiver.read(buf);
    CHECK(task.assert_ready(at_once).value() == words.size());
    {
      const auto gone = std::move(sender);
    }
    for (int i = 0; i < 2; ++i) {  // the end stays the end
      const auto end = co_await receiver.read(buf);
      CHECK(end == 0);
    }
    task.take_wakes();
  });
}

TEST_CASE(
    "a pipe that is full makes the writer wait, and keeps the order of what is tried and "
    "gathered") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    auto [sender, receiver] = pipe().value();
    auto left = fill(sender);
    test::mock_task task;
    auto writing = sender.write("x");
    task.assert_pending(writing);
    auto room = sender.writable();
    task.assert_pending(room);
    std::string first(1000, '\0'), second(100'000, '\0');
    const std::array<buffer, 2> in{buffer(first), buffer(second)};
    const auto n = co_await receiver.read_vectored(in);
    CHECK(n == left);
    CHECK((first.compare(0, words.size(), words) == 0));
    CHECK(!receiver.try_read_vectored(in).has_value());
    while (!task.is_woken()) co_await eddy::yield_now();
    CHECK(task.assert_ready(writing).value() == 1);
    CHECK(task.poll(room).is_ready());
    const std::array<const_buffer, 3> out{const_buffer("one,"), const_buffer(),
                                          const_buffer("two")};
    const auto gathered = co_await sender.write_vectored(out);
    CHECK(gathered == 7);
    CHECK(sender.try_write_vectored(out).value() == 7);
    co_await receiver.readable();
    CHECK(receiver.try_read(first).value() == 15);
    CHECK(first.substr(0, 15) == "xone,twoone,two");
    CHECK(receiver.try_read(first).error() == std::errc::resource_unavailable_try_again);
    for (const auto moved : {co_await sender.write(""), co_await receiver.read(buffer())})
      CHECK(moved == 0);
  });
}

TEST_CASE("a reader that leaves is an error of the write, and no signal") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  ::signal(SIGPIPE, SIG_DFL);
  rt.block_on([]() -> eddy::future<> {
    auto [sender, receiver] = pipe().value();
    fill(sender);
    test::mock_task task;
    auto writing = sender.write_all(words);
    task.assert_pending(writing);
    {
      const auto gone = std::move(receiver);
    }
    const auto r = co_await eddy::attempt(writing);
    REQUIRE(!r.has_value());
    CHECK(r.error().message() == "write: broken pipe");
    CHECK(sender.try_write("x").error() == std::errc::broken_pipe);
    ::sigset_t left;
    ::sigpending(&left);
    CHECK(::sigismember(&left, SIGPIPE) == 0);
    ::pthread_sigmask(SIG_BLOCK, nullptr, &left);
    CHECK(::sigismember(&left, SIGPIPE) == 0);  // the mask is as it was
  });
}

TEST_CASE("a FIFO: writers come and go, and the reader sees the end of the last") {
  const test::leak_check leaks;
  const test::unix_folder folder;
  const auto path = make_fifo(folder);
  auto rt = test::make_runtime();
  rt.block_on([](std::string where) -> eddy::future<> {
    const auto alone = pipe_sender::open(where);
    REQUIRE(!alone.has_value());
    CHECK(alone.error() == std::errc::no_such_device_or_address);
    auto receiver = pipe_receiver::open(where).value();
    test::mock_task task;
    std::string buf(4, '\0');
    {
      auto first = receiver.read(buf);  // nobody has written yet: that is no end
      task.assert_pending(first);
    }
    for (int i = 0; i < 2; ++i) {
      {
        auto sender = pipe_sender::open(where).value();
        co_await sender.write_all(words);
      }
      const auto got = co_await read_words(receiver);
      CHECK(got == words);
      const auto end = co_await receiver.read(buf);
      CHECK(end == 0);
    }
  }(path));
}

#ifdef __linux__
TEST_CASE("a FIFO opened both ways needs no other end, and sees none") {
  const test::leak_check leaks;
  const test::unix_folder folder;
  const auto path = make_fifo(folder);
  auto rt = test::make_runtime();
  rt.block_on([](std::string where) -> eddy::future<> {
    auto first = pipe_sender::open_read_write(where).value();
    co_await first.write_all(words);
    auto receiver = pipe_receiver::open_read_write(where).value();
    auto got = co_await read_words(receiver);
    CHECK(got == words);
    test::mock_task task;
    std::string buf(4, '\0');
    auto reading = receiver.read(buf);
    {
      auto second = pipe_sender::open(where).value();
      co_await second.write_all(words);
    }
    got = co_await read_words(receiver);
    CHECK(got == words);
    task.assert_pending(reading);  // a writer has left, and that is no end
  }(path));
}
#endif

TEST_CASE("what is no pipe, or the wrong end of one, is refused") {
  const test::leak_check leaks;
  const test::unix_folder folder;
  const auto fifo = make_fifo(folder);
  const auto file = folder.file("file");
  ::close(::open(file.c_str(), O_CREAT | O_WRONLY, 0600));
  auto rt = test::make_runtime();
  rt.block_on([](std::string a_fifo, std::string a_file) -> eddy::future<> {
    const auto s = pipe_sender::open(a_file);
    REQUIRE(!s.has_value());
    CHECK(s.error() == std::errc::invalid_argument);
    CHECK(s.error().message() == "open " + a_file + ": invalid argument");
    CHECK(pipe_receiver::open(a_file).error() == std::errc::invalid_argument);
    CHECK(pipe_receiver::open("/no/such/fifo").error() == std::errc::no_such_file_or_directory);
    CHECK(pipe_receiver::adopt(::open(a_file.c_str(), O_RDONLY)).error() ==
          std::errc::invalid_argument);
    CHECK(pipe_sender::adopt(::open(a_file.c_str(), O_WRONLY)).error() ==
          std::errc::invalid_argument);
    CHECK(pipe_sender::adopt(-1).error() == std::errc::bad_file_descriptor);
    CHECK(pipe_receiver::open(a_fifo + std::string("\0x", 2)).error() ==
          std::errc::invalid_argument);  // another file's name
    auto receiver = pipe_receiver::open(a_fifo).value();
    CHECK(pipe_receiver::adopt(::open(a_fifo.c_str(), O_WRONLY)).error() ==
          std::errc::invalid_argument);
    CHECK(pipe_sender::adopt(::open(a_fifo.c_str(), O_RDONLY | O_NONBLOCK)).error() ==
          std::errc::invalid_argument);
    co_return;
  }(fifo, file));
}

TEST_CASE("ends of a pipe are taken over and given away, blocking or not") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> eddy::future<> {
    int fds[2];
    REQUIRE(::pipe(fds) == 0);
    auto receiver = pipe_receiver::adopt(fds[0]).value();
    auto sender = pipe_sender::adopt(fds[1]).value();
    CHECK(!is_blocking(receiver.native_handle()));
    CHECK(!is_blocking(sender.native_handle()));
    co_await sender.write_all(words);
    auto got = co_await read_words(receiver);
    CHECK(got == words);
    co_await sender.write_all(words);
    const int out = std::move(sender).into_descriptor().value();
    const int in = std::move(receiver).into_blocking_descriptor().value();
    CHECK(!is_blocking(out));
    CHECK(is_blocking(in));
    CHECK(::read(in, got.data(), got.size()) == static_cast<ssize_t>(words.size()));
    ::close(in);
    ::close(out);
  });
}

TEST_CASE("a pipe can be dropped at every point of its life") {
  const auto polls = test::cut_points([]() -> eddy::future<> {
    auto [sender, receiver] = pipe().value();
    auto writing = eddy::spawn(
        [](pipe_sender s) -> eddy::future<> {
          const std::string big(300'000, 'b');
          co_await s.write_all(big);
          co_await s.write("x");
          co_await s.writable();
        },
        std::move(sender));
    std::string buf(10'000, '\0');
    const std::array<buffer, 1> one{buffer(buf)};
    std::size_t sum = 0;
    for (;;) {
      co_await receiver.readable();
      const auto n = co_await receiver.read_vectored(one);
      if (n == 0) break;
      sum += n;
    }
    CHECK(sum == 300'001);
    co_await writing;
  });
  CHECK(polls > 5);
}
