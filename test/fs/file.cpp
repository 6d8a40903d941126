#include <eddy/fs/file.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mount.h>
#endif

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/fs.hpp>
#include <eddy/io/buf_reader.hpp>
#include <eddy/io/buf_writer.hpp>
#include <eddy/io/copy.hpp>
#include <eddy/io/lines.hpp>
#include <eddy/io/read.hpp>

#include "fs/folder.hpp"
#include "support/any_runtime.hpp"
#include "support/mock_task.hpp"

namespace fs = eddy::fs;
using eddy::future;
using test::contents;
using test::folder;

namespace {

const std::string hello = "hello world...";

static_assert(eddy::io::reader<fs::file> && eddy::io::writer<fs::file>);

/// Runs the scenario on a runtime of its own, and counts what is left.
template <class F, class... A>
void run(F f, A&... args) {
  const test::settled_leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on(f(args...));
}

future<std::string> read_some(fs::file& f, std::size_t most) {
  std::string bytes(most, '\0');
  const auto n = co_await f.read(bytes);
  bytes.resize(n);
  co_return bytes;
}

}  // namespace

// ---- opening

TEST_CASE("a file that is opened is read") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::open(d.file("a"));
        CHECK(f.descriptor() > 0);
        CHECK(co_await read_some(f, 1024) == hello);
        CHECK(co_await read_some(f, 1024) == "");
      },
      dir);
}

TEST_CASE("open options: read, and nothing to open it for") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::open_options().read(true).open(d.file("a"));
        CHECK(co_await read_some(f, 1024) == hello);
        const auto none = co_await eddy::attempt(fs::open_options().open(d.file("a")));
        CHECK(none.error() == std::errc::invalid_argument);
        const auto made =
            co_await eddy::attempt(fs::open_options().read(true).create(true).open(d.file("b")));
        CHECK(made.error() == std::errc::invalid_argument);
        const auto both = co_await eddy::attempt(
            fs::open_options().append(true).truncate(true).open(d.file("a")));
        CHECK(both.error() == std::errc::invalid_argument);
      },
      dir);
}

TEST_CASE("open options: a file opened for writing is written over and not read") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::open_options().write(true).open(d.file("a"));
        co_await f.write_all("HELLO");
        co_await f.flush();
        CHECK(contents(d.file("a")) == "HELLO world...");
        std::array<char, 4> bytes;
        const auto r = co_await eddy::attempt(f.read(bytes));
        CHECK(r.error() == std::errc::bad_file_descriptor);
        CHECK(r.error().message() == "read " + d.file("a") + ": bad file descriptor");
      },
      dir);
}

TEST_CASE("open options: what is appended goes to the end, wherever it is by then") {
  const folder dir;
  dir.with("a", "1");
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::open_options().append(true).open(d.file("a"));
        auto g = co_await fs::open_options().read(true).append(true).open(d.file("a"));
        co_await f.write_all("2");
        co_await f.flush();
        CHECK(co_await read_some(g, 1) == "1");
        co_await g.write_all("3");
        co_await g.flush();
        co_await f.write_all("4");
        co_await f.flush();
        CHECK(contents(d.file("a")) == "1234");
      },
      dir);
}

TEST_CASE("open options: truncate") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        co_await fs::open_options().write(true).truncate(true).open(d.file("a"));
        CHECK(contents(d.file("a")) == "");
      },
      dir);
}

TEST_CASE("open options: create makes what is not there and leaves what is") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        co_await fs::open_options().write(true).create(true).open(d.file("a"));
        CHECK(contents(d.file("a")) == hello);
        co_await fs::open_options().write(true).create(true).open(d.file("b"));
        CHECK(::access(d.file("b").c_str(), F_OK) == 0);
        const auto missing =
            co_await eddy::attempt(fs::open_options().write(true).open(d.file("c")));
        CHECK(missing.error() == std::errc::no_such_file_or_directory);
        CHECK(missing.error().message() == "open " + d.file("c") + ": no such file or directory");
      },
      dir);
}

TEST_CASE("open options: create_new fails on what is there") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::create_new(d.file("a"));
        co_await f.write_all(hello);
        co_await f.rewind();
        CHECK(co_await read_some(f, 1024) == hello);
        const auto again = co_await eddy::attempt(
            fs::open_options().write(true).create_new(true).open(d.file("a")));
        CHECK(again.error() == std::errc::file_exists);
        CHECK(contents(d.file("a")) == hello);
      },
      dir);
}

TEST_CASE("open options: mode, less the umask") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::open_options().write(true).create(true).mode(0600).open(d.file("a"));
        const auto m = co_await f.metadata();
        CHECK(m.permissions().mode() == 0600);
      },
      dir);
}

TEST_CASE("open options: custom flags") {
  const folder dir;
  dir.with("a", hello);
  REQUIRE(::symlink("a", dir.file("link").c_str()) == 0);
  run(
      [](const folder& d) -> future<> {
        auto options = fs::open_options().read(true).custom_flags(O_NOFOLLOW);
        const auto r = co_await eddy::attempt(options.open(d.file("link")));
        CHECK(r.error() == std::errc::too_many_symbolic_link_levels);
        // What says how it is opened is not theirs to say.
        auto f = co_await fs::open_options().read(true).custom_flags(O_RDWR).open(d.file("a"));
        CHECK((::fcntl(f.descriptor(), F_GETFL) & O_ACCMODE) == O_RDONLY);
        CHECK((::fcntl(f.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
      },
      dir);
}

TEST_CASE("a path with a zero byte inside names nothing") {
  run([]() -> future<> {
    const auto r = co_await eddy::attempt(fs::file::open(std::string("/dev/null\0x", 11)));
    CHECK(r.error() == std::errc::invalid_argument);
  });
}

// ---- reading and writing

TEST_CASE("what is written is in the file after flush") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::create(d.file("a"));
        co_await f.write_all(hello);
        co_await f.flush();
        CHECK(contents(d.file("a")) == hello);
      },
      dir);
}

TEST_CASE("a copy into a file ends with everything in it") {
  const folder dir;
  const std::string big(300'000, 'x');
  dir.with("a", big);
  run(
      [](const folder& d, const std::string& all) -> future<> {
        auto from = co_await fs::file::open(d.file("a"));
        auto to = co_await fs::file::create(d.file("b"));
        CHECK(co_await eddy::io::copy(from, to) == all.size());
        CHECK(contents(d.file("b")) == all);
      },
      dir, big);
}

TEST_CASE("buffers from several places are one write") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::create(d.file("a"));
        const std::array<eddy::io::const_buffer, 3> parts{hello, "", hello};
        CHECK(co_await f.write_vectored(parts) == 2 * hello.size());
        co_await f.flush();
        CHECK(contents(d.file("a")) == hello + hello);
        f.set_max_buf_size(20);
        CHECK(co_await f.write_vectored(parts) == 20);
        co_await f.flush();
        CHECK(contents(d.file("a")) == hello + hello + hello + hello.substr(0, 6));
      },
      dir);
}

TEST_CASE("readers and writers of io work on files") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        {
          eddy::io::buf_writer out(co_await fs::file::create(d.file("a")));
          for (int i = 0; i < 1000; ++i) co_await eddy::io::write_all(out, "a line\n");
          co_await out.flush();
        }
        eddy::io::buf_reader in(co_await fs::file::open(d.file("a")));
        auto lines = eddy::io::lines(in);
        int n = 0;
        while (auto line = co_await lines.next()) {
          CHECK(*line == "a line");
          ++n;
        }
        CHECK(n == 1000);
        auto f = co_await fs::file::open(d.file("a"));
        std::array<char, 6> some;
        co_await eddy::io::read_exact(f, some);
        CHECK(std::string(some.data(), some.size()) == "a line");
        const auto rest = co_await eddy::io::read_to_string(f);
        CHECK(rest.size() == 7000 - 6);
      },
      dir);
}

TEST_CASE("seek, rewind and where a file is") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::open_options().read(true).write(true).open(d.file("a"));
        CHECK(co_await f.seek(10, fs::seek_from::current) == 10);
        CHECK(co_await f.rewind() == 0);
        CHECK(co_await f.stream_position() == 0);
        CHECK(co_await f.seek(-3, fs::seek_from::end) == hello.size() - 3);
        CHECK(co_await read_some(f, 100) == "...");
        co_await f.seek(6);
        co_await f.write_all("W");
        co_await f.flush();
        CHECK(contents(d.file("a")) == "hello World...");
        const auto before = co_await eddy::attempt(f.seek(-100, fs::seek_from::current));
        CHECK(before.error() == std::errc::invalid_argument);
        CHECK(co_await f.stream_position() == 7);
      },
      dir);
}

TEST_CASE("an empty read is ready at once, and takes nothing") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::open(d.file("a"));
        test::mock_task task;
        auto nothing = f.read(eddy::io::buffer());
        CHECK(task.assert_ready(nothing).value() == 0);
        CHECK(co_await read_some(f, 1024) == hello);
      },
      dir);
}

TEST_CASE("a task that reads a file again and again lets others run") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::open(d.file("a"));
        std::array<char, 1024> bytes;
        bool other = false;
        auto h = eddy::spawn(
            [](bool* ran) -> future<> {
              *ran = true;
              co_return;
            },
            &other);
        for (int i = 0; i < 1000 && !other; ++i) {
          co_await f.rewind();
          CHECK(co_await f.read(bytes) == hello.size());
        }
        CHECK(other);
        co_await std::move(h);
      },
      dir);
}

TEST_CASE("one read or write moves max_buf_size bytes at most") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::open(d.file("a"));
        CHECK(f.max_buf_size() == fs::file::default_max_buf_size);
        f.set_max_buf_size(1);
        CHECK(co_await read_some(f, 1024) == "h");
      },
      dir);
}

TEST_CASE("one write takes max_buf_size bytes at most") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::create(d.file("a"));
        f.set_max_buf_size(1);
        CHECK(co_await f.write(hello) == 1);
        co_await f.write_all("two");
        co_await f.flush();
        CHECK(contents(d.file("a")) == "htwo");
      },
      dir);
}

TEST_CASE("reads and writes at places of their own neither use nor move the file's") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::open_options().read(true).write(true).open(d.file("a"));
        std::array<char, 5> a, b;
        auto [x, y] = co_await eddy::join(f.read_at(a, 6), f.read_at(b, 0));
        CHECK(x == 5);
        CHECK(y == 5);
        CHECK(std::string(a.data(), 5) == "world");
        CHECK(std::string(b.data(), 5) == "hello");
        co_await f.write_all_at("W", 6);
        CHECK(contents(d.file("a")) == "hello World...");
        co_await f.write_all_at("end", 20);
        CHECK(co_await f.read_at(a, 19) == 4);  // as many as there are
        CHECK(std::string(a.data(), 4) == std::string("\0end", 4));
        CHECK(co_await f.read_at(a, 1000) == 0);
        CHECK(co_await f.stream_position() == 0);
        const auto far = co_await eddy::attempt(f.read_at(a, ~std::uint64_t{0}));
        CHECK(far.error() == std::errc::invalid_argument);
        CHECK(far.error().operation() == std::string("read_at"));
      },
      dir);
}

TEST_CASE("set_len cuts off and fills with zeros") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::open_options().read(true).write(true).open(d.file("a"));
        co_await f.set_len(5);
        CHECK(contents(d.file("a")) == "hello");
        co_await f.set_len(7);
        CHECK(contents(d.file("a")) == std::string("hello\0\0", 7));
        const auto r = co_await eddy::attempt(f.set_len(~std::uint64_t{0}));
        CHECK(r.error() == std::errc::invalid_argument);
        CHECK(co_await read_some(f, 100) == std::string("hello\0\0", 7));
      },
      dir);
}

TEST_CASE("sync, metadata and permissions of an open file") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::create(d.file("a"));
        co_await f.write_all(hello);
        co_await f.sync_data();
        CHECK(contents(d.file("a")) == hello);
        co_await f.write_all(hello);
        co_await f.sync_all();
        const auto m = co_await f.metadata();
        CHECK(m.is_file());
        CHECK(m.size() == 2 * hello.size());
        auto p = m.permissions();
        p.set_readonly(true);
        co_await f.set_permissions(p);
        const auto after = co_await f.metadata();
        CHECK(after.permissions().is_readonly());
        CHECK(after.permissions() == p);
      },
      dir);
}

// ---- descriptors

TEST_CASE("a clone writes into the same file, and has the same max_buf_size") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::create(d.file("a"));
        f.set_max_buf_size(128);
        co_await f.write_all("one ");
        auto clone = co_await f.try_clone();
        CHECK(clone.max_buf_size() == 128);
        co_await clone.write_all(hello);
        co_await clone.flush();
        CHECK(contents(d.file("a")) == "one " + hello);
        CHECK(co_await f.stream_position() == 4 + hello.size());
      },
      dir);
}

TEST_CASE("a file gives its descriptor away, after what runs has ended") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::create(d.file("a"));
        co_await f.write_all("first ");
        const int fd = co_await f.into_descriptor();
        CHECK(f.descriptor() == -1);
        CHECK(::write(fd, hello.data(), hello.size()) == static_cast<::ssize_t>(hello.size()));
        ::close(fd);
        CHECK(contents(d.file("a")) == "first " + hello);
        const auto r = co_await eddy::attempt(f.write("x"));
        CHECK(r.error() == std::errc::bad_file_descriptor);
      },
      dir);
}

TEST_CASE("a file gives its descriptor away at once when nothing runs") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::create(d.file("a"));
        co_await f.write_all(
            "x");  // accepted: it may or may not be written yet, but nobody has looked
        CHECK(f.try_into_descriptor().error() == std::errc::device_or_resource_busy);
        co_await f.flush();
        const int fd = f.try_into_descriptor().value();
        CHECK(::write(fd, hello.data(), hello.size()) == static_cast<::ssize_t>(hello.size()));
        ::close(fd);
        CHECK(contents(d.file("a")) == "x" + hello);
      },
      dir);
}

TEST_CASE("a file is made of a descriptor") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        const int fd = ::open(d.file("a").c_str(), O_RDONLY | O_CLOEXEC);
        auto f = fs::file::from_descriptor(fd);
        CHECK(f.descriptor() == fd);
        CHECK(co_await read_some(f, 1024) == hello);
        const auto r = co_await eddy::attempt(f.set_len(0));
        CHECK(r.error().message() == "set_len: invalid argument");
      },
      dir);
}

TEST_CASE("a file is made of another file's descriptor") {
  const folder dir;
  dir.with("a", hello);
  run(
      [](const folder& d) -> future<> {
        auto f = co_await fs::file::open(d.file("a"));
        CHECK(co_await read_some(f, 6) == "hello ");
        auto g = fs::file::from_descriptor(co_await f.into_descriptor());
        CHECK(co_await read_some(g, 1024) == "world...");
      },
      dir);
}

TEST_CASE("an empty file says EBADF") {
  run([]() -> future<> {
    fs::file f;
    std::array<char, 4> bytes;
    CHECK((co_await eddy::attempt(f.read(bytes))).error() == std::errc::bad_file_descriptor);
    CHECK((co_await eddy::attempt(f.write_all("x"))).error() == std::errc::bad_file_descriptor);
    CHECK((co_await eddy::attempt(f.seek(0))).error() == std::errc::bad_file_descriptor);
    CHECK((co_await eddy::attempt(f.read_at(bytes, 0))).error() == std::errc::bad_file_descriptor);
    CHECK((co_await eddy::attempt(f.try_clone())).error() == std::errc::bad_file_descriptor);
    co_await f.flush();  // nothing was accepted
  });
}

// ---- trouble

TEST_CASE(
    "a full disk: the failure of an accepted write comes with the next write, flush or sync") {
  run([]() -> future<> {
    auto f = co_await fs::open_options().write(true).open("/dev/full");
    CHECK(co_await f.write("x") == 1);
    const auto flushed = co_await eddy::attempt(f.flush());
    CHECK(flushed.error() == std::errc::no_space_on_device);
    CHECK(flushed.error().message() == "write /dev/full: no space left on device");
    co_await f.flush();  // once
    CHECK(co_await f.write("x") == 1);
    const auto written = co_await eddy::attempt(f.write("y"));
    CHECK(written.error() == std::errc::no_space_on_device);
    CHECK(co_await f.write("x") == 1);
    const auto synced = co_await eddy::attempt(f.sync_all());
    CHECK(synced.error() == std::errc::no_space_on_device);
    const auto at = co_await eddy::attempt(f.write_all_at("x", 0));
    CHECK(at.error() == std::errc::no_space_on_device);
  });
}

TEST_CASE("a FIFO whose reader leaves: the failure of an accepted write comes with flush") {
  const folder dir;
  REQUIRE(::mkfifo(dir.file("fifo").c_str(), 0600) == 0);
  run(
      [](const folder& d) -> future<> {
        auto in = ::open(d.file("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        auto f = co_await fs::open_options().write(true).open(d.file("fifo"));
        co_await f.write_all("x");
        co_await f.flush();
        ::close(in);
        CHECK(co_await f.write("y") == 1);
        const auto r = co_await eddy::attempt(f.flush());
        CHECK(r.error() == std::errc::broken_pipe);
      },
      dir);
}

#ifdef __linux__
TEST_CASE("a full file system: what had room is written, and the failure is told") {
  const folder dir;
  if (::mount("none", dir.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
    MESSAGE("skipped: cannot mount a tmpfs: " << std::generic_category().message(errno));
    return;
  }
  run(
      [](const folder& d) -> future<> {
        const std::string much(1'000'000, 'x');
        auto f = co_await fs::file::create(d.file("a"));
        co_await f.write_all(much);
        const auto r = co_await eddy::attempt(f.sync_all());
        CHECK(r.error() == std::errc::no_space_on_device);
        CHECK(r.error().message() == "write " + d.file("a") + ": no space left on device");
        const auto m = co_await f.metadata();
        CHECK(m.size() <= 64 * 1024);
        const auto whole = co_await eddy::attempt(fs::write(d.file("b"), much));
        CHECK(whole.error() == std::errc::no_space_on_device);
        co_await f.set_len(0);
        co_await f.rewind();
        co_await f.write_all("room again");
        co_await f.sync_all();
        CHECK(contents(d.file("a")) == "room again");
      },
      dir);
  CHECK(::umount(dir.path().c_str()) == 0);
}
#endif

TEST_CASE("descriptors used up, and free again") {
  const folder dir;
  dir.with("a", hello);
  run([](const folder&) -> future<> { co_return; }, dir);  // what opens once is open
  struct limit {
    ::rlimit before;
    limit() {
      ::getrlimit(RLIMIT_NOFILE, &before);
      ::rlimit few = before;
      few.rlim_cur = 64;
      ::setrlimit(RLIMIT_NOFILE, &few);
    }
    ~limit() { ::setrlimit(RLIMIT_NOFILE, &before); }
  };
  run(
      [](const folder& d) -> future<> {
        const limit few;
        std::vector<fs::file> files;
        for (;;) {
          auto f = co_await eddy::attempt(fs::file::open(d.file("a")));
          if (!f) {
            CHECK(f.error() == std::errc::too_many_files_open);
            break;
          }
          files.push_back(std::move(*f));
        }
        CHECK((co_await eddy::attempt(fs::read(d.file("a")))).error() ==
              std::errc::too_many_files_open);
        CHECK((co_await eddy::attempt(files[0].try_clone())).error() ==
              std::errc::too_many_files_open);
        files.pop_back();
        const auto bytes = co_await fs::read(d.file("a"));
        CHECK(bytes.size() == hello.size());
      },
      dir);
}

TEST_CASE("a file of a gigabyte") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        constexpr std::uint64_t size = 1ULL << 30;
        auto f = co_await fs::file::create_new(d.file("a"));
        co_await f.set_len(size);  // of which nothing is on the disk
        co_await f.seek(-3, fs::seek_from::end);
        co_await f.write_all("the end");
        CHECK(co_await f.stream_position() == size + 4);
        CHECK(co_await f.seek(-7, fs::seek_from::end) == size - 3);
        CHECK(co_await read_some(f, 100) == "the end");
        if (std::getenv("EDDY_LONG") == nullptr) co_return;
        co_await f.rewind();
        std::string part(1 << 20, '\0');
        std::uint64_t all = 0;
        while (const auto n = co_await f.read(part)) all += n;
        CHECK(all == size + 4);
        CHECK(co_await fs::copy(d.file("a"), d.file("b")) == size + 4);
      },
      dir);
}

namespace {

/// Uses a file while its runtime ends: blocking threads take no more jobs then.
struct uses_at_the_end {
  fs::file f;
  std::vector<eddy::error>* failures;

  template <class Leaf>
  void note(Leaf leaf) {
    test::mock_task task;
    auto r = task.assert_ready(leaf);
    REQUIRE_FALSE(r.has_value());
    failures->push_back(std::move(r).error());
  }
  ~uses_at_the_end() {
    std::array<char, 8> bytes;
    for (int i = 0; i < 2; ++i) {
      note(f.read(bytes));
      note(f.seek(0));
      note(f.set_len(0));
      note(f.write("z"));
    }
    note(f.read_at(bytes, 0));
    note(fs::file::open("/dev/null"));
    test::mock_task task;
    auto nothing_accepted = f.flush();
    CHECK(task.assert_ready(nothing_accepted).has_value());
  }
};

future<> use_at_the_end(std::string path, std::vector<eddy::error>* failures,
                        std::atomic<bool>* is_open) {
  auto f = co_await fs::open_options().read(true).write(true).open(path);
  const uses_at_the_end held{std::move(f), failures};
  *is_open = true;
  co_await eddy::sleep(std::chrono::hours(1));
}

}  // namespace

TEST_CASE("an operation that the blocking threads refuse leaves the file as it was") {
  const folder dir;
  dir.with("a", hello);
  const test::settled_leak_check leaks;
  std::vector<eddy::error> failures;
  {
    auto rt = test::make_runtime();
    std::atomic<bool> is_open{false};
    auto h = rt.spawn(use_at_the_end(dir.file("a"), &failures, &is_open));
    rt.block_on([](std::atomic<bool>* open) -> future<> {
      while (!*open) co_await eddy::yield_now();
    }(&is_open));
  }
  CHECK(failures.size() == 10);
  for (const auto& e : failures) CHECK(e == eddy::errc::aborted);
  CHECK(contents(dir.file("a")) == hello);
}
