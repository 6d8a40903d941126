#include <eddy/fs.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/stream.hpp>

#include "fs/folder.hpp"
#include "support/any_runtime.hpp"

namespace fs = eddy::fs;
using eddy::future;
using test::contents;
using test::folder;

namespace {

template <class F, class... A>
void run(F f, A&... args) {
  const test::settled_leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on(f(args...));
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }
bool is_dir(const std::string& path) {
  struct stat s;
  return ::stat(path.c_str(), &s) == 0 && S_ISDIR(s.st_mode);
}
/// Root may do what permissions forbid: somebody else does, if it is root.
class as_nobody {
 public:
  explicit as_nobody(const folder& d) : was_root_(::geteuid() == 0) {
    if (!was_root_) return;
    REQUIRE(::chown(d.path().c_str(), nobody, nobody) == 0);
    REQUIRE(::seteuid(nobody) == 0);
  }
  as_nobody(const as_nobody&) = delete;
  ~as_nobody() {
    if (was_root_) CHECK(::seteuid(0) == 0);
  }

 private:
  static constexpr ::uid_t nobody = 65534;
  bool was_root_;
};

}  // namespace

// ---- whole files

TEST_CASE("a whole file is written, and read as bytes and as a string") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        co_await fs::write(d.file("a"), "Hello, World!");
        CHECK(co_await fs::read_to_string(d.file("a")) == "Hello, World!");
        const auto bytes = co_await fs::read(d.file("a"));
        REQUIRE(bytes.size() == 13);
        CHECK(bytes[0] == std::byte{'H'});
        std::string given(100'000, 'x');
        co_await fs::write(d.file("a"), std::move(given));
        CHECK(co_await fs::read_to_string(d.file("a")) == std::string(100'000, 'x'));
        co_await fs::write(d.file("a"), "");
        CHECK(co_await fs::read_to_string(d.file("a")) == "");
      },
      dir);
}

TEST_CASE("files whose size the system does not know are read to their end") {
  run([]() -> future<> {
    const auto status = co_await fs::read_to_string("/proc/self/status");
    CHECK(status.starts_with("Name:"));
    CHECK(status.back() == '\n');
    CHECK(co_await fs::read_to_string("/dev/null") == "");
  });
}

TEST_CASE("whole files: failures name the operation and the path") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        const auto missing = co_await eddy::attempt(fs::read(d.file("none")));
        CHECK(missing.error() == std::errc::no_such_file_or_directory);
        CHECK(missing.error().message() ==
              "read " + d.file("none") + ": no such file or directory");
        const auto directory = co_await eddy::attempt(fs::read_to_string(d.path()));
        CHECK(directory.error() == std::errc::is_a_directory);
        const auto nowhere = co_await eddy::attempt(fs::write(d.file("none/x"), "x"));
        CHECK(nowhere.error().operation() == std::string("write"));
        CHECK(nowhere.error().detail() == d.file("none/x"));
        const auto full = co_await eddy::attempt(fs::write("/dev/full", "x"));
        CHECK(full.error() == std::errc::no_space_on_device);
      },
      dir);
}

// ---- paths

TEST_CASE("a file is renamed") {
  const folder dir;
  dir.with("a.txt", "Hello File!");
  run(
      [](const folder& d) -> future<> {
        CHECK(co_await fs::try_exists(d.file("a.txt")));
        co_await fs::rename(d.file("a.txt"), d.file("b.txt"));
        CHECK(co_await fs::try_exists(d.file("b.txt")));
        CHECK_FALSE(co_await fs::try_exists(d.file("a.txt")));
        const auto r = co_await eddy::attempt(fs::rename(d.file("a.txt"), d.file("c.txt")));
        CHECK(r.error().message() == "rename " + d.file("a.txt") + " to " + d.file("c.txt") +
                                         ": no such file or directory");
      },
      dir);
}

TEST_CASE("a file is removed") {
  const folder dir;
  dir.with("a.txt", "Hello File!");
  run(
      [](const folder& d) -> future<> {
        CHECK(co_await fs::try_exists(d.file("a.txt")));
        co_await fs::remove_file(d.file("a.txt"));
        CHECK_FALSE(co_await fs::try_exists(d.file("a.txt")));
        const auto r = co_await eddy::attempt(fs::remove_file(d.file("a.txt")));
        CHECK(r.error() == std::errc::no_such_file_or_directory);
      },
      dir);
}

TEST_CASE("try_exists: whether a path leads to something, or why that is not known") {
  const folder dir;
  dir.with("a", "");
  REQUIRE(::symlink("none", dir.file("broken").c_str()) == 0);
  const as_nobody nobody(dir);
  run(
      [](const folder& d) -> future<> {
        CHECK(co_await fs::try_exists(d.file("a")));
        CHECK_FALSE(co_await fs::try_exists(d.file("none")));
        CHECK_FALSE(co_await fs::try_exists(d.file("broken")));
        const auto under_a_file = co_await eddy::attempt(fs::try_exists(d.file("a/b")));
        CHECK(under_a_file.error() == std::errc::not_a_directory);
        co_await fs::create_dir(d.file("locked"));
        co_await fs::write(d.file("locked/x"), "x");
        co_await fs::set_permissions(d.file("locked"), fs::permissions(0200));
        const auto denied = co_await eddy::attempt(fs::try_exists(d.file("locked/x")));
        CHECK(denied.error() == std::errc::permission_denied);
        co_await fs::set_permissions(d.file("locked"), fs::permissions(0700));
      },
      dir);
}

TEST_CASE("a copy has the bytes and the permissions") {
  const folder dir;
  const std::string big(1'000'000, 'x');
  dir.with("a", big);
  run(
      [](const folder& d, const std::string& all) -> future<> {
        CHECK(co_await fs::copy(d.file("a"), d.file("b")) == all.size());
        CHECK(contents(d.file("b")) == all);
        co_await fs::write(d.file("a"), "short");
        co_await fs::set_permissions(d.file("a"), fs::permissions(0444));
        CHECK(co_await fs::copy(d.file("a"), d.file("b")) == 5);
        CHECK(contents(d.file("b")) == "short");
        const auto m = co_await fs::metadata(d.file("b"));
        CHECK(m.permissions() == fs::permissions(0444));
        CHECK(m.permissions().is_readonly());
      },
      dir, big);
}

TEST_CASE("a copy of what has no size, and of a file onto itself") {
  const folder dir;
  dir.with("a", "mine");
  run(
      [](const folder& d) -> future<> {
        const auto n = co_await fs::copy("/proc/self/status", d.file("s"));
        CHECK(n > 0);
        CHECK(contents(d.file("s")).size() == n);
        const auto same = co_await eddy::attempt(fs::copy(d.file("a"), d.file("../a/../a")));
        CHECK_FALSE(same.has_value());
        const auto itself = co_await eddy::attempt(fs::copy(d.file("a"), d.file("./a")));
        CHECK(itself.error() == std::errc::invalid_argument);
        CHECK(contents(d.file("a")) == "mine");
        const auto directory = co_await eddy::attempt(fs::copy(d.path(), d.file("x")));
        CHECK(directory.error() == std::errc::is_a_directory);
        CHECK_FALSE(exists(d.file("x")));
        const auto full = co_await eddy::attempt(fs::copy(d.file("a"), "/dev/full"));
        CHECK(full.error() == std::errc::no_space_on_device);
      },
      dir);
}

TEST_CASE("the root directory is its own canonical path") {
  run([]() -> future<> {
    CHECK(co_await fs::canonicalize("/.") == "/");
    CHECK(co_await fs::canonicalize("/proc/../.") == "/");
    const auto r = co_await eddy::attempt(fs::canonicalize("/none/such"));
    CHECK(r.error().message() == "canonicalize /none/such: no such file or directory");
  });
}

// ---- links

TEST_CASE("a hard link is the same file under another name") {
  const folder dir;
  dir.with("src", "hello");
  run(
      [](const folder& d) -> future<> {
        co_await fs::hard_link(d.file("src"), d.file("dst"));
        d.with("src", "new-data");
        CHECK(co_await fs::read_to_string(d.file("dst")) == "new-data");
        const auto m = co_await fs::metadata(d.file("dst"));
        CHECK(m.links() == 2);
        CHECK_FALSE((co_await eddy::attempt(fs::read_link(d.file("dst")))).has_value());
        const auto missing = co_await eddy::attempt(fs::hard_link(d.file("none"), d.file("other")));
        CHECK(missing.error() == std::errc::no_such_file_or_directory);
        const auto there = co_await eddy::attempt(fs::hard_link(d.file("src"), d.file("dst")));
        CHECK(there.error() == std::errc::file_exists);
        const auto directory = co_await eddy::attempt(fs::hard_link(d.path(), d.file("other")));
        CHECK(directory.error() == std::errc::operation_not_permitted);
      },
      dir);
}

TEST_CASE("a symbolic link stands for a file, and is one itself") {
  const folder dir;
  dir.with("src", "hello");
  run(
      [](const folder& d) -> future<> {
        co_await fs::symlink(d.file("src"), d.file("dst"));
        d.with("src", "new-data");
        CHECK(co_await fs::read_to_string(d.file("dst")) == "new-data");
        CHECK(co_await fs::read_link(d.file("dst")) == d.file("src"));
        const auto m = co_await fs::symlink_metadata(d.file("dst"));
        CHECK(m.is_symlink());
        const auto followed = co_await fs::metadata(d.file("dst"));
        CHECK(followed.is_file());
        const std::string far(1000, 'x');
        co_await fs::symlink(far, d.file("far"));
        CHECK(co_await fs::read_link(d.file("far")) == far);
      },
      dir);
}

// ---- metadata

TEST_CASE("metadata says kind, size, times and owner") {
  const folder dir;
  dir.with("a", "12345");
  run(
      [](const folder& d) -> future<> {
        struct stat s;
        REQUIRE(::stat(d.file("a").c_str(), &s) == 0);
        const auto m = co_await fs::metadata(d.file("a"));
        CHECK(m.kind() == fs::file_kind::regular);
        CHECK(m.size() == 5);
        CHECK(m.mode() == s.st_mode);
        CHECK(m.inode() == s.st_ino);
        CHECK(m.device() == s.st_dev);
        CHECK(m.links() == 1);
        CHECK(m.uid() == s.st_uid);
        CHECK(m.gid() == s.st_gid);
        CHECK(m.blocks() == static_cast<std::uint64_t>(s.st_blocks));
        const auto at =
            std::chrono::seconds(s.st_mtim.tv_sec) + std::chrono::nanoseconds(s.st_mtim.tv_nsec);
        CHECK(m.modified().time_since_epoch() == at);
        CHECK(m.changed() >= m.modified());
        CHECK(m.accessed().time_since_epoch().count() > 0);
        if (m.created()) CHECK(*m.created() <= m.modified());
        CHECK((co_await fs::metadata(d.path())).is_dir());
        const auto null = co_await fs::metadata("/dev/null");
        CHECK(null.kind() == fs::file_kind::character_device);
        const auto r = co_await eddy::attempt(fs::symlink_metadata(d.file("none")));
        CHECK(r.error().message() ==
              "symlink_metadata " + d.file("none") + ": no such file or directory");
      },
      dir);
}

TEST_CASE("permissions are taken away and given") {
  fs::permissions p(0100666);
  CHECK(p.mode() == 0666);
  CHECK_FALSE(p.is_readonly());
  p.set_readonly(true);
  CHECK(p == fs::permissions(0444));
  p.set_readonly(false);
  CHECK(p == fs::permissions(0644));
  p.set_mode(07777);
  CHECK(p.mode() == 07777);
}

// ---- directories

TEST_CASE("a directory is made") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        co_await fs::create_dir(d.file("foo"));
        CHECK(is_dir(d.file("foo")));
        const auto again = co_await eddy::attempt(fs::create_dir(d.file("foo")));
        CHECK(again.error() == std::errc::file_exists);
        const auto nowhere = co_await eddy::attempt(fs::create_dir(d.file("a/b")));
        CHECK(nowhere.error().message() ==
              "create_dir " + d.file("a/b") + ": no such file or directory");
      },
      dir);
}

TEST_CASE("a directory is made with those that should hold it") {
  const folder dir;
  dir.with("file", "");
  run(
      [](const folder& d) -> future<> {
        co_await fs::create_dir_all(d.file("foo/bar"));
        CHECK(is_dir(d.file("foo/bar")));
        co_await fs::create_dir_all(d.file("foo/bar"));
        co_await fs::create_dir_all(d.file("x//y/../z//"));
        CHECK(is_dir(d.file("x/z")));
        const auto in_a_file = co_await eddy::attempt(fs::create_dir_all(d.file("file/x")));
        CHECK(in_a_file.error() == std::errc::not_a_directory);
        const auto a_file = co_await eddy::attempt(fs::create_dir_all(d.file("file")));
        CHECK(a_file.error() == std::errc::file_exists);
        co_await fs::create_dir_all("/");
      },
      dir);
}

TEST_CASE("dir_builder: with those that should hold it, or not") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        co_await fs::dir_builder().recursive(true).create(d.file("foo/bar"));
        CHECK(is_dir(d.file("foo/bar")));
        const auto r =
            co_await eddy::attempt(fs::dir_builder().recursive(false).create(d.file("foo/bar")));
        CHECK(r.error() == std::errc::file_exists);
      },
      dir);
}

TEST_CASE("dir_builder: a directory that nobody may write to") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        co_await fs::dir_builder().recursive(true).mode(0444).create(d.file("abc"));
        const auto m = co_await fs::metadata(d.file("abc"));
        CHECK(m.permissions().is_readonly());
      },
      dir);
}

TEST_CASE("an empty directory is removed") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        co_await fs::create_dir_all(d.file("foo/bar"));
        const auto full = co_await eddy::attempt(fs::remove_dir(d.file("foo")));
        CHECK(full.error() == std::errc::directory_not_empty);
        co_await fs::remove_dir(d.file("foo/bar"));
        CHECK_FALSE(exists(d.file("foo/bar")));
      },
      dir);
}

TEST_CASE("a directory is removed with all that is in it, and links are not followed") {
  const folder dir;
  const folder other;
  other.with("keep", "kept");
  run(
      [](const folder& d, const folder& o) -> future<> {
        co_await fs::create_dir_all(d.file("test/a/b/c"));
        for (int i = 0; i < 100; ++i)
          co_await fs::write(d.file("test/a/" + std::to_string(i)), "Hello File!");
        co_await fs::symlink(o.path(), d.file("test/a/link"));
        co_await fs::symlink("none", d.file("test/broken"));
        co_await fs::remove_dir_all(d.file("test"));
        CHECK_FALSE(co_await fs::try_exists(d.file("test")));
        CHECK(contents(o.file("keep")) == "kept");
        const auto gone = co_await eddy::attempt(fs::remove_dir_all(d.file("test")));
        CHECK(gone.error() == std::errc::no_such_file_or_directory);
        co_await fs::symlink(o.path(), d.file("link"));
        const auto a_link = co_await eddy::attempt(fs::remove_dir_all(d.file("link")));
        CHECK(a_link.error() == std::errc::not_a_directory);
        for (const char* slashes : {"/", "//"}) {
          const auto behind = co_await eddy::attempt(fs::remove_dir_all(d.file("link") + slashes));
          CHECK(behind.error() == std::errc::not_a_directory);
        }
        CHECK(contents(o.file("keep")) == "kept");
      },
      dir, other);
}

TEST_CASE("remove_dir_all names what it could not remove") {
  const folder dir;
  const as_nobody nobody(dir);
  run(
      [](const folder& d) -> future<> {
        co_await fs::create_dir_all(d.file("test/a"));
        co_await fs::write(d.file("test/a/x"), "");
        co_await fs::set_permissions(d.file("test/a"), fs::permissions(0500));
        const auto r = co_await eddy::attempt(fs::remove_dir_all(d.file("test")));
        CHECK(r.error().detail() == d.file("test/a/x"));
        co_await fs::set_permissions(d.file("test/a"), fs::permissions(0700));
      },
      dir);
}

// ---- reading directories

TEST_CASE("the names in a directory, each once") {
  const folder dir;
  run(
      [](const folder& d) -> future<> {
        for (const char* name : {"aa", "bb", "cc"}) co_await fs::create_dir(d.file(name));
        std::vector<std::string> names;
        auto entries = co_await fs::read_dir(d.path());
        while (auto e = co_await entries.next_entry()) names.push_back(e->file_name());
        std::ranges::sort(names);
        CHECK(names == std::vector<std::string>{"aa", "bb", "cc"});
        CHECK(entries.is_terminated());
        CHECK_FALSE((co_await entries.next_entry()).has_value());
      },
      dir);
}

TEST_CASE("an entry knows its path, its kind and its metadata") {
  const folder dir;
  dir.with("a.txt", "Hello File!");
  run(
      [](const folder& d) -> future<> {
        auto entries = co_await fs::read_dir(d.path());
        const auto e = co_await entries.next_entry();
        REQUIRE(e.has_value());
        CHECK(e->path() == d.file("a.txt"));
        CHECK(e->file_name() == "a.txt");
        CHECK(co_await e->file_type() == fs::file_kind::regular);
        CHECK((e->listed_kind() == fs::file_kind::regular ||
               e->listed_kind() == fs::file_kind::unknown));
        const auto m = co_await e->metadata();
        CHECK(m.is_file());
        CHECK(m.size() == 11);
        CHECK(m.inode() == e->inode());
        co_await fs::remove_file(e->path());
        const auto gone = co_await eddy::attempt(e->metadata());
        CHECK(gone.error() == std::errc::no_such_file_or_directory);
        // Where the listing does not say, the system is asked.
        const fs::dir_entry odd(std::make_shared<const std::string>("/"), "dev",
                                fs::file_kind::unknown, 0);
        CHECK(odd.path() == "/dev");
        CHECK(co_await odd.file_type() == fs::file_kind::directory);
      },
      dir);
}

TEST_CASE("a directory of many names, as a stream, moved on the way") {
  const folder dir;
  for (int i = 0; i < 500; ++i) dir.with(std::to_string(i), "");
  run(
      [](const folder& d) -> future<> {
        auto entries = co_await fs::read_dir(d.path());
        long sum = 0;
        for (int i = 0; i < 70; ++i) sum += std::stol((co_await entries.next_entry())->file_name());
        auto rest = std::move(entries);
        auto numbers =
            std::move(rest).map([](const fs::dir_entry& e) { return std::stol(e.file_name()); });
        while (auto n = co_await numbers.next()) sum += *n;
        CHECK(sum == 499 * 500 / 2);
        const auto r = co_await eddy::attempt(fs::read_dir(d.file("none")));
        CHECK(r.error().message() == "read_dir " + d.file("none") + ": no such file or directory");
      },
      dir);
}
