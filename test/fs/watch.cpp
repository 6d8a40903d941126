// Temporary files and directories, and changes as they happen.

#include <eddy/fs/watch.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/fs.hpp>
#include <eddy/stream.hpp>

#include "fs/folder.hpp"
#include "support/any_runtime.hpp"
#include "support/runtime_access.hpp"

namespace fs = eddy::fs;
using eddy::future;
using test::contents;
using test::folder;
using namespace std::chrono_literals;

namespace {

template <class F, class... A>
void run(F f, A&... args) {
  const test::settled_leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on(f(args...));
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

/// The next change of this kind to this name, whatever comes before it. Does not come: the test's time runs out.
future<bool> sees(fs::watcher& w, fs::change what, std::string name) {
  while (auto e = co_await w.next())
    if (e->kind() == what && e->name() == name) co_return true;
  co_return false;
}

}  // namespace

TEST_CASE("a temporary directory is removed with what is in it, when it goes or before") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        std::string path;
        {
          auto t = co_await fs::temp_dir::create(d.path());
          path = t.path();
          CHECK(path.starts_with(d.path() + '/'));
          const auto m = co_await fs::metadata(path);
          CHECK(m.is_dir());
          CHECK(m.permissions().mode() == 0700);
          co_await fs::create_dir_all(t.file("a/b"));
          co_await fs::write(t.file("a/x"), "x");
          auto moved = std::move(t);
          CHECK(moved.path() == path);
        }
        CHECK_FALSE(exists(path));
        auto t = co_await fs::temp_dir::create(d.path());
        path = t.path();
        co_await fs::write(t.file("x"), "x");
        co_await std::move(t).remove();
        CHECK_FALSE(exists(path));
        auto kept = co_await fs::temp_dir::create(d.path());
        path = std::move(kept).keep();
        CHECK(exists(path));
        auto dropped = co_await fs::temp_dir::create(d.path());
        path = dropped.path();
        {
          const auto never_begun = std::move(dropped).remove();
        }
        CHECK_FALSE(exists(path));
        const auto r = co_await eddy::attempt(fs::temp_dir::create(d.file("none")));
        CHECK(r.error() == std::errc::no_such_file_or_directory);
        auto anywhere = co_await fs::temp_dir::create();
        CHECK(exists(anywhere.path()));
      },
      dir);
}

TEST_CASE("a temporary file is removed when it goes, or gets a name and stays") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        std::string path;
        {
          auto t = co_await fs::temp_file::create(d.path());
          path = t.path();
          const auto m = co_await t.file().metadata();
          CHECK(m.permissions().mode() == 0600);
          CHECK((::fcntl(t.file().descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
          co_await t.file().write_all("x");
          co_await t.file().flush();
          CHECK(contents(path) == "x");
        }
        CHECK_FALSE(exists(path));
        d.with("a", "old");
        auto t = co_await fs::temp_file::create(d.path());
        path = t.path();
        co_await t.file().write_all("new");
        co_await t.file().sync_all();
        co_await std::move(t).persist(d.file("a"));
        CHECK(contents(d.file("a")) == "new");
        CHECK_FALSE(exists(path));
        auto u = co_await fs::temp_file::create(d.path());
        path = u.path();
        const auto r = co_await eddy::attempt(std::move(u).persist(d.file("none/x")));
        CHECK(r.error() == std::errc::no_such_file_or_directory);
        CHECK_FALSE(exists(path));
        auto anywhere = co_await fs::temp_file::create();
        CHECK(exists(anywhere.path()));
      },
      dir);
}

TEST_CASE("a watcher sees what happens in a directory") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        auto w = co_await fs::watch(d.path());
        d.with("a", "hello");
        CHECK(co_await sees(w, fs::change::created, "a"));
        d.with("a", "hello again");
        CHECK(co_await sees(w, fs::change::modified, "a"));
        ::chmod(d.file("a").c_str(), 0600);
        CHECK(co_await sees(w, fs::change::attributes, "a"));
#ifdef __linux__
        ::rename(d.file("a").c_str(), d.file("b").c_str());
        auto moved = std::move(w);
        CHECK(co_await sees(moved, fs::change::moved_from, "a"));
        CHECK(co_await sees(moved, fs::change::moved_to, "b"));
        w = std::move(moved);
#else
        ::rename(d.file("a").c_str(), d.file("b").c_str());
        CHECK(co_await sees(w, fs::change::created, "b"));
#endif
        ::unlink(d.file("b").c_str());
        CHECK(co_await sees(w, fs::change::removed, "b"));
      },
      dir);
}

TEST_CASE("a watcher of a file ends after the file is gone") {
  const folder dir;
  dir.with("a", "hello");
  run(
      [](const folder& d) -> future<> {
        auto w = co_await fs::watch(d.file("a"));
        d.with("a", "hello again");
        CHECK(co_await sees(w, fs::change::modified, ""));
        ::unlink(d.file("a").c_str());
        CHECK(co_await sees(w, fs::change::removed, ""));
        CHECK_FALSE((co_await w.next()).has_value());
        CHECK(w.is_terminated());
        CHECK_FALSE((co_await w.next()).has_value());
      },
      dir);
}

TEST_CASE("what cannot be watched") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        const auto r = co_await eddy::attempt(fs::watch(d.file("none")));
        CHECK(r.error() == std::errc::no_such_file_or_directory);
        CHECK(r.error().message() == "watch " + d.file("none") + ": no such file or directory");
      },
      dir);
}

TEST_CASE("a watcher that waits is woken by a change, and loses none when the wait is dropped") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        auto w = co_await fs::watch(d.path());
        const auto none = co_await eddy::attempt(eddy::timeout(1ms, w.next()));
        CHECK(none.error() == eddy::errc::elapsed);
        auto h =
            eddy::spawn([](fs::watcher* of) { return sees(*of, fs::change::created, "a"); }, &w);
        co_await eddy::yield_now();
        d.with("a", "");
        CHECK(co_await std::move(h));
      },
      dir);
}

#ifdef __linux__
TEST_CASE("a watcher says when it has missed changes") {
  const folder dir;
  dir.with("a", "");
  run(
      [](const folder& d) -> future<> {
        auto w = co_await fs::watch(d.path());
        std::size_t most = 0;
        {
          const auto text = co_await fs::read_to_string("/proc/sys/fs/inotify/max_queued_events");
          most = std::stoul(text);
        }
        // Two kinds in turns: the same one twice in a row is one to the kernel.
        for (std::size_t i = 0; i < most; ++i) {
          ::chmod(d.file("a").c_str(), 0600);
          ::truncate(d.file("a").c_str(), 1);
        }
        CHECK(co_await sees(w, fs::change::missed, ""));
      },
      dir);
}
#endif

TEST_CASE("temporary things and watchers dropped at every cut point") {
  std::uint64_t cuts = 0;
  for (bool done = false; !done; ++cuts) {
    REQUIRE(cuts < 500);
    const folder dir;
    const test::settled_leak_check leaks;
    eddy::runtime rt;
    auto h = rt.spawn(
        [](const folder* d) -> future<> {
          auto t = co_await fs::temp_dir::create(d->path());
          co_await eddy::yield_now();
          auto w = co_await fs::watch(t.path());
          co_await eddy::yield_now();
          auto f = co_await fs::temp_file::create(t.path());
          co_await w.next();
          co_await eddy::yield_now();
          co_await std::move(f).persist(t.file("x"));
          co_await w.next();
          co_await eddy::yield_now();
          co_await std::move(t).remove();
        },
        &dir);
    done = eddy::runtime_access::run_polls(rt, h, cuts);
    if (done) rt.block_on(std::move(h));
  }
  CHECK(cuts > 4);
}
