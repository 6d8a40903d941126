// Standard streams and the terminal: the test's own descriptors 0, 1 and 2 are put aside meanwhile.
#include <eddy/io/standard.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include <eddy/combine/select.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/io/buf_reader.hpp>
#include <eddy/io/concepts.hpp>
#include <eddy/io/lines.hpp>
#include <eddy/io/read.hpp>
#include <eddy/io/terminal.hpp>
#include <eddy/runtime/runtime.hpp>
#include <eddy/signal/signal.hpp>
#include <eddy/task/spawn.hpp>
#include <eddy/task/yield.hpp>

#include "base/sanitizer.hpp"
#include "death/child.hpp"
#include "io/quiet_write.hpp"
#include "support/any_runtime.hpp"
#include "support/cut_points.hpp"
#include "support/mock_task.hpp"

using eddy::future;
using namespace eddy::io;

static_assert(reader<standard_input> && writer<standard_output>);

namespace {

/// A descriptor in the place of a standard one, for a while.
class instead {
 public:
  instead(int standard, int fd) : standard_(standard), before_(::dup(standard)) {
    std::fflush(nullptr);
    REQUIRE(::dup2(fd, standard) == standard);
  }
  instead(const instead&) = delete;
  ~instead() {
    ::dup2(before_, standard_);
    ::close(before_);
  }

 private:
  int standard_;
  int before_;
};

struct two_ends {
  std::array<int, 2> fd{-1, -1};
  ~two_ends() {
    for (const int f : fd)
      if (f >= 0) ::close(f);
  }
  void close(int which) { ::close(std::exchange(fd[static_cast<std::size_t>(which)], -1)); }
};
struct a_pipe : two_ends {
  a_pipe() { REQUIRE(::pipe(fd.data()) == 0); }
};
struct a_socket : two_ends {
  a_socket() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fd.data()) == 0); }
};
struct a_terminal : two_ends {  // 0: its program's side, 1: the other
  a_terminal() {
    fd[1] = ::posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE(fd[1] >= 0);
    REQUIRE((::grantpt(fd[1]) == 0 && ::unlockpt(fd[1]) == 0));
    fd[0] = ::open(::ptsname(fd[1]), O_RDWR | O_NOCTTY);
    REQUIRE(fd[0] >= 0);
  }
  bool is_raw() const {
    termios now;
    REQUIRE(::tcgetattr(fd[0], &now) == 0);
    return (now.c_lflag & ICANON) == 0;
  }
};
/// An empty file without a name.
int a_file() {
  std::FILE* const f = std::tmpfile();
  const int fd = ::dup(::fileno(f));
  std::fclose(f);
  return fd;
}

void put(int fd, std::string_view text) {
  REQUIRE(::write(fd, text.data(), text.size()) == static_cast<::ssize_t>(text.size()));
}
std::string taken(int fd) {
  std::string text(4096, '\0');
  const auto n = ::read(fd, text.data(), text.size());
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}
bool blocks(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

future<std::string> read_some(standard_input* in) {
  std::string to(100, '\0');
  to.resize(co_await in->read(to));
  co_return to;
}

}  // namespace

// The first one here: ThreadSanitizer starts no threads in a child of a program that has had some.
TEST_CASE("a read that waits does not keep the program from ending") {
  for (const bool watched : {true, false}) {
    CAPTURE(watched);
    const auto end = test::in_child([watched] {
      a_pipe pipe;
      a_socket socket;
      ::dup2(watched ? pipe.fd[0] : socket.fd[0], 0);
      const int code = eddy::run([]() -> future<int> {
        auto waiting = eddy::spawn([]() -> future<> {
          auto in = std_in();
          static_cast<void>(co_await read_some(&in));
        });
        co_await eddy::yield_now();
        co_return 7;
      });
      std::exit(code);
      return 0;
    });
    CHECK(end.code == 7);
  }
}

TEST_CASE("standard input is read as it comes, up to its end, and stays blocking for others") {
  const test::leak_check leaks;
  const auto each = [](two_ends& ends) {
    const instead as_input(0, ends.fd[0]);
    auto rt = test::make_runtime();
    rt.block_on([&ends]() -> future<> {
      auto in = std_in();
      auto waiting = eddy::spawn(read_some(&in));
      co_await eddy::yield_now();
      CHECK(!waiting.is_finished());
      put(ends.fd[1], "first");
      const auto first = co_await waiting;
      CHECK(first == "first");
      CHECK(blocks(0));
      put(ends.fd[1], "second");
      ends.close(1);
      const auto rest = co_await read_to_string(in);
      CHECK(rest == "second");
    });
  };
  a_pipe pipe;
  each(pipe);
  a_socket socket;  // cannot be opened again: by the thread
  each(socket);
}

TEST_CASE("standard input from a file is read to its end, line by line") {
  const test::leak_check leaks;
  const int file = a_file();
  put(file, "one\ntwo\n");
  ::lseek(file, 0, SEEK_SET);
  const instead as_input(0, file);
  ::close(file);
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto all = lines(buf_reader(std_in()));
    for (const std::string expected : {"one", "two"}) {
      const auto line = co_await all.next();
      CHECK(line == expected);
    }
    const auto end = co_await all.next();
    CHECK(!end);
  });
}

TEST_CASE("standard input on a terminal gives lines, and an end that is not for good") {
  const test::leak_check leaks;
  a_terminal tty;
  const instead as_input(0, tty.fd[0]);
  auto rt = test::make_runtime();
  rt.block_on([&tty]() -> future<> {
    auto in = std_in();
    auto waiting = eddy::spawn(read_some(&in));
    co_await eddy::yield_now();
    put(tty.fd[1], "half a ");
    co_await eddy::yield_now();
    CHECK(!waiting.is_finished());
    put(tty.fd[1], "line\nand more\n");
    const auto line = co_await waiting;
    CHECK(line == "half a line\n");
    const auto more = co_await read_some(&in);
    CHECK(more == "and more\n");
    put(tty.fd[1], "\4");
    const auto end = co_await read_some(&in);
    CHECK(end.empty());
    put(tty.fd[1], "again\n");
    const auto again = co_await read_some(&in);
    CHECK(again == "again\n");
    CHECK(blocks(0));
  });
}

TEST_CASE(
    "a dropped read loses nothing, by the loop or by a thread, however small the next one is") {
  const test::leak_check leaks;
  const auto each = [](two_ends& ends) {
    const instead as_input(0, ends.fd[0]);
    auto rt = test::make_runtime();
    rt.block_on([&ends]() -> future<> {
      auto in = std_in();
      {
        std::array<char, 100> large;
        test::mock_task task;
        auto dropped = in.read(large);
        task.assert_pending(dropped);
      }
      put(ends.fd[1], "abc");
      std::string all;
      while (all.size() < 3) {
        std::array<char, 2> small;
        const auto n = co_await in.read(small);
        all.append(small.data(), n);
      }
      CHECK(all == "abc");
    });
  };
  a_pipe pipe;
  each(pipe);
  a_socket socket;
  each(socket);
}

TEST_CASE("standard input goes on on another runtime") {
  const test::leak_check leaks;
  a_pipe pipe;
  const instead as_input(0, pipe.fd[0]);
  auto stream = std_in();
  for (const std::string word : {"one", "two"}) {
    auto rt = test::make_runtime();
    rt.block_on([&]() -> future<> {
      auto waiting = eddy::spawn(read_some(&stream));
      co_await eddy::yield_now();
      put(pipe.fd[1], word);
      const auto text = co_await waiting;
      CHECK(text == word);
    });
  }
}

TEST_CASE("standard output writes to pipes, terminals, files and sockets") {
  const test::leak_check leaks;
  const auto write_one = [](int to) {
    const instead as_output(1, to);
    auto rt = test::make_runtime();
    rt.block_on([]() -> future<> {
      auto out = std_out();
      co_await write_all(out, "some text\n");
      CHECK(blocks(1));
    });
  };
  a_pipe pipe;
  write_one(pipe.fd[1]);
  CHECK(taken(pipe.fd[0]) == "some text\n");
  a_terminal tty;
  write_one(tty.fd[0]);
  CHECK(taken(tty.fd[1]) == "some text\r\n");
  a_socket socket;
  write_one(socket.fd[1]);
  CHECK(taken(socket.fd[0]) == "some text\n");
  const int file = a_file();
  write_one(file);
  write_one(file);  // where the last one ended: the offset is shared
  ::lseek(file, 0, SEEK_SET);
  CHECK(taken(file) == "some text\nsome text\n");
  ::close(file);
}

TEST_CASE("a full pipe makes standard output wait; one without a reader is EPIPE") {
  const test::leak_check leaks;
  a_pipe pipe;
  ::fcntl(pipe.fd[0], F_SETFL, O_NONBLOCK);
  const instead as_output(1, pipe.fd[1]);
  pipe.close(1);
  auto rt = test::make_runtime();
  rt.block_on([&pipe]() -> future<> {
    auto writing = eddy::spawn([]() -> future<bool> {
      auto out = std_out();
      const std::string much(300'000, 'x');
      co_await write_all(out, much);
      for (;;) {
        auto r = co_await eddy::attempt(out.write("more"));
        if (!r) co_return r.error() == std::errc::broken_pipe;
      }
    });
    for (std::size_t got = 0; got < 300'000;) {
      co_await eddy::yield_now();
      got += taken(pipe.fd[0]).size();
    }
    CHECK(!writing.is_finished());
    pipe.close(0);
    const bool broken = co_await writing;
    CHECK(broken);
  });
  auto again = test::make_runtime();
  again.block_on([]() -> future<> {  // nobody reads: it cannot even be opened
    auto out = std_out();
    auto r = co_await eddy::attempt(out.write("more"));
    CHECK(r.error() == std::errc::broken_pipe);
    CHECK(r.error().message().find("write standard output") == 0);
  });
}

TEST_CASE("dropped writes by a thread are done or not begun, in their order") {
  const test::leak_check leaks;
  a_socket socket;
  ::fcntl(socket.fd[0], F_SETFL, O_NONBLOCK);
  const instead as_output(1, socket.fd[1]);
  auto rt = test::make_runtime();
  rt.block_on([&socket]() -> future<> {
    auto out = std_out();
    const std::string block(60'000, 'a');
    for (int i = 0; i < 20; ++i) {  // more than the socket takes: one runs, the others do not begin
      test::mock_task task;
      auto dropped = out.write(block);
      static_cast<void>(task.poll(dropped));
    }
    auto last =
        eddy::spawn([](standard_output* o) -> future<> { co_await write_all(*o, "END"); }, &out);
    std::string all;
    while (!all.ends_with("END")) {
      all += taken(socket.fd[0]);
      co_await eddy::yield_now();
    }
    co_await last;
    CHECK(all.size() % block.size() == 3);
  });
}

#ifndef EDDY_TSAN  // it starts no threads in a child
TEST_CASE("a child made by fork writes by a thread of its own") {
  const auto write_words = []() -> future<> {
    auto out = std_out();
    for (int i = 0; i < 20; ++i) co_await write_all(out, "word");
  };
  for (int round = 0; round < 10; ++round) {
    a_socket socket;
    const instead as_output(1, socket.fd[1]);
    eddy::run(write_words());  // and this one's thread waits for more
    const auto end = test::in_child([&write_words] {
      eddy::run(write_words());
      return 5;
    });
    CHECK(end.code == 5);
  }
}
#endif

TEST_CASE("a standard stream that is not there is an error that says so") {
  const test::leak_check leaks;
  a_pipe pipe;
  const instead as_input(0, pipe.fd[0]);
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    ::close(0);
    auto in = std_in();
    std::array<char, 4> to;
    auto r = co_await eddy::attempt(in.read(to));
    CHECK(r.error() == std::errc::bad_file_descriptor);
    CHECK(r.error().message().find("read standard input") == 0);
  });
}

TEST_CASE("reads and writes of standard streams are dropped at every cut point") {
  a_socket socket;
  a_pipe pipe;
  const instead as_input(0, pipe.fd[0]);
  const instead as_output(1, socket.fd[1]);
  const auto cuts = test::cut_points([&]() -> future<> {
    auto in = std_in();
    auto out = std_out();
    put(pipe.fd[1], "some");
    auto text = co_await read_some(&in);
    CHECK(!text.empty());  // an earlier round may have left something
    co_await write_all(out, text);
    auto again = eddy::spawn(read_some(&in));
    co_await eddy::yield_now();
    put(pipe.fd[1], "more");
    co_await again;
  });
  CHECK(cuts > 3);
}

TEST_CASE("a write that nobody reads raises no SIGPIPE, and takes none away that was there") {
  a_pipe pipe;
  pipe.close(0);
  const auto before = ::signal(SIGPIPE, SIG_DFL);
  char letter = 'x';
  const ::iovec x{&letter, 1};
  using eddy::detail::write_quietly;
  using eddy::detail::write_with_sigpipe_blocked;
  CHECK(write_quietly(pipe.fd[1], &letter, 1) == -1);
  CHECK(errno == EPIPE);
  CHECK(write_quietly(pipe.fd[1], &x, 1) == -1);
  CHECK(errno == EPIPE);
  CHECK(write_with_sigpipe_blocked(pipe.fd[1], &x, 1) == -1);
  CHECK(errno == EPIPE);
  sigset_t pipes;
  ::sigemptyset(&pipes);
  ::sigaddset(&pipes, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipes, nullptr);
  ::raise(SIGPIPE);
  CHECK(write_with_sigpipe_blocked(pipe.fd[1], &x, 1) == -1);
  int taken = 0;
  CHECK(::sigwait(&pipes, &taken) == 0);  // still there
  CHECK(taken == SIGPIPE);
  ::pthread_sigmask(SIG_UNBLOCK, &pipes, nullptr);
  ::signal(SIGPIPE, before);
}

// ---- the terminal

TEST_CASE("a terminal has a size; what is none says so") {
  a_terminal tty;
  winsize size{};
  size.ws_col = 81;
  size.ws_row = 25;
  REQUIRE(::ioctl(tty.fd[0], TIOCSWINSZ, &size) == 0);
  const auto extent = terminal_size(tty.fd[0]).value();
  CHECK(extent.columns == 81);
  CHECK(extent.rows == 25);
  CHECK(is_terminal(tty.fd[0]));
  a_pipe pipe;
  CHECK(!is_terminal(pipe.fd[0]));
  CHECK(terminal_size(pipe.fd[0]).error() == std::errc::inappropriate_io_control_operation);
  CHECK(raw_mode::enter(pipe.fd[0]).error() == std::errc::inappropriate_io_control_operation);
}

TEST_CASE("raw mode lasts as long as somebody holds it, on one terminal at a time") {
  const test::leak_check leaks;
  a_terminal tty;
  a_terminal other;
  {
    auto one = raw_mode::enter(tty.fd[0]).value();
    CHECK(tty.is_raw());
    {
      auto two = raw_mode::enter(tty.fd[0]).value();
      auto moved = std::move(one);
      CHECK(raw_mode::enter(other.fd[0]).error() == std::errc::device_or_resource_busy);
    }
    CHECK(!tty.is_raw());
  }
  auto later = raw_mode::enter(other.fd[0]).value();
  CHECK(other.is_raw());
}

TEST_CASE("raw mode ends with the program: by exit, by a signal, not by a child's exit") {
  a_terminal tty;
  const auto by = [&tty](auto f) {
    return test::in_child([&tty, f] {
      for (const int number : {SIGTERM, SIGQUIT, SIGABRT, SIGINT}) ::signal(number, SIG_DFL);
      auto raw = raw_mode::enter(tty.fd[0]).value();
      if (!tty.is_raw()) return 1;
      f();
      return 2;
    });
  };
  CHECK(by([] { std::exit(0); }).code == 0);
  CHECK(!tty.is_raw());
  for (const int number : {SIGTERM, SIGQUIT, SIGABRT}) {
    CHECK(by([number] { ::raise(number); }).signal == number);
    CHECK(!tty.is_raw());
  }
  CHECK(by([&tty] {
          if (test::in_child([]() -> int { std::exit(3); }).code == 3 && tty.is_raw()) std::exit(4);
        }).code == 4);
  CHECK(!tty.is_raw());
}

TEST_CASE("a signal that somebody listens to leaves raw mode on") {
  const auto end = test::in_child([] {
    ::signal(SIGTERM, SIG_DFL);
    a_terminal tty;
    auto raw = raw_mode::enter(tty.fd[0]).value();
    return eddy::run([&tty]() -> future<int> {
      auto term = eddy::signal::signal(eddy::signal::kind::terminate()).value();
      ::raise(SIGTERM);
      co_await term.recv();
      co_return tty.is_raw() ? 5 : 6;
    });
  });
  CHECK(end.code == 5);
}
