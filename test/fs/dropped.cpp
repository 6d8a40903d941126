// Operations of fs that are dropped: before a thread has begun them, while one is at it, and at every cut point.

#include <eddy/fs.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "fs/folder.hpp"
#include "runtime/blocking_pool.hpp"
#include "support/any_runtime.hpp"
#include "support/runtime_access.hpp"

namespace fs = eddy::fs;
using eddy::future;
using test::contents;
using test::folder;

namespace {

class gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

/// Keeps every blocking thread of a runtime busy, so that what comes waits in the queue.
class all_threads {
 public:
  future<> take() {
    const int most = static_cast<int>(eddy::detail::blocking_options{}.max_threads);
    for (int i = 0; i < most; ++i)
      jobs_.push_back(eddy::spawn_blocking(
          [](std::shared_ptr<gate> g, std::shared_ptr<std::atomic<int>> n) {
            ++*n;
            g->pass();
          },
          gate_, taken_));
    while (*taken_ != most) co_await eddy::yield_now();
  }
  future<> give_back() {
    gate_->open();
    for (auto& j : jobs_) co_await std::move(j);
    jobs_.clear();
  }
  ~all_threads() { gate_->open(); }

 private:
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
  std::shared_ptr<std::atomic<int>> taken_ = std::make_shared<std::atomic<int>>(0);
  std::vector<eddy::join_handle<>> jobs_;
};

/// Begins it, and drops it at once; what it came to, if it has ended by then. By a real task: its wakers may live
/// longer than the operation.
template <class Leaf>
class begin_and_drop_leaf {
 public:
  using answer = std::optional<eddy::detail::answer_of<Leaf>>;
  explicit begin_and_drop_leaf(Leaf leaf) : leaf_(std::in_place, std::move(leaf)) {}
  eddy::polled<answer> poll(eddy::context& cx) noexcept {
    answer ended;
    if (auto p = leaf_->poll(cx)) ended.emplace(p.take());
    leaf_.reset();
    return eddy::polled<answer>(std::move(ended));
  }

 private:
  std::optional<Leaf> leaf_;
};
template <class Leaf>
auto begin_and_drop(Leaf leaf) {
  return begin_and_drop_leaf<Leaf>(std::move(leaf));
}

/// With a place to cut before it, for it may be over before it waits.
template <class Leaf>
auto stepped(Leaf leaf) -> future<typename eddy::detail::outcome_of<Leaf>::value_type> {
  co_await eddy::yield_now();
  co_return co_await leaf;
}

/// One of each operation, on things in `d` that are there.
future<> begin_and_drop_each(const folder& d) {
  co_await begin_and_drop(fs::read(d.file("a")));
  co_await begin_and_drop(fs::read_to_string(d.file("a")));
  co_await begin_and_drop(fs::write(d.file("written"), "x"));
  co_await begin_and_drop(fs::write(d.file("written"), std::string(100, 'x')));
  co_await begin_and_drop(fs::metadata(d.file("a")));
  co_await begin_and_drop(fs::symlink_metadata(d.file("a")));
  co_await begin_and_drop(fs::set_permissions(d.file("a"), fs::permissions(0600)));
  co_await begin_and_drop(fs::try_exists(d.file("a")));
  co_await begin_and_drop(fs::copy(d.file("a"), d.file("copied")));
  co_await begin_and_drop(fs::canonicalize(d.path()));
  co_await begin_and_drop(fs::hard_link(d.file("a"), d.file("linked")));
  co_await begin_and_drop(fs::symlink(d.file("a"), d.file("symlinked")));
  co_await begin_and_drop(fs::read_link(d.file("a")));
  co_await begin_and_drop(fs::create_dir(d.file("made")));
  co_await begin_and_drop(fs::create_dir_all(d.file("made2/x")));
  co_await begin_and_drop(fs::dir_builder().create(d.file("made3")));
  co_await begin_and_drop(fs::read_dir(d.path()));
  co_await begin_and_drop(fs::file::open(d.file("a")));
  co_await begin_and_drop(fs::file::create(d.file("created")));
  co_await begin_and_drop(fs::rename(d.file("b"), d.file("renamed")));
  co_await begin_and_drop(fs::remove_file(d.file("c")));
  co_await begin_and_drop(fs::remove_dir(d.file("empty")));
  co_await begin_and_drop(fs::remove_dir_all(d.file("full")));
}

void furnish(const folder& d) {
  for (const char* name : {"a", "b", "c"}) d.with(name, name);
  REQUIRE(::mkdir(d.file("empty").c_str(), 0700) == 0);
  REQUIRE(::mkdir(d.file("full").c_str(), 0700) == 0);
  d.with("full/x", "x");
}

std::vector<std::string> names_in(const folder& d) {
  std::vector<std::string> names;
  for (const auto& e : std::filesystem::recursive_directory_iterator(d.path()))
    names.push_back(e.path().filename());
  std::ranges::sort(names);
  return names;
}

}  // namespace

TEST_CASE("what is dropped before a thread has begun it is not done") {
  const folder dir;
  furnish(dir);
  const auto before = names_in(dir);
  const test::settled_leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([](const folder& d) -> future<> {
    all_threads threads;
    co_await threads.take();
    co_await begin_and_drop_each(d);
    auto f = fs::file::from_descriptor(::open(d.file("a").c_str(), O_RDWR | O_CLOEXEC));
    co_await begin_and_drop(f.write_all_at("torn", 0));
    std::array<char, 8> bytes;
    co_await begin_and_drop(f.read_at(bytes, 0));
    co_await threads.give_back();
    CHECK(co_await f.stream_position() == 0);  // all that was in the queue is over now
  }(dir));
  CHECK(names_in(dir) == before);
  CHECK(contents(dir.file("a")) == "a");
}

TEST_CASE("what is dropped while a thread is at it is done to its end") {
  const folder dir;
  furnish(dir);
  REQUIRE(::mkfifo(dir.file("fifo").c_str(), 0600) == 0);
  const test::settled_leak_check leaks;
  auto rt = test::make_runtime();
  // A thread that writes to a FIFO waits for its reader: it is at it for as long as we like.
  const std::string all(200'000, 'x');
  rt.block_on([](const folder& d, const std::string& bytes) -> future<> {
    auto write = std::make_optional(fs::write(d.file("fifo"), bytes));
    auto begin = [&](eddy::context& cx) -> eddy::polled<> {
      CHECK_FALSE(write->poll(cx).is_ready());
      return eddy::ready;
    };
    co_await eddy::poll_fn(begin);
    // This comes back when somebody else has it open for writing.
    const int fd = ::open(d.file("fifo").c_str(), O_RDONLY | O_CLOEXEC);
    write.reset();
    std::string got;
    std::array<char, 4096> part;
    for (;;) {
      const auto n = ::read(fd, part.data(), part.size());
      if (n <= 0) break;
      got.append(part.data(), static_cast<std::size_t>(n));
    }
    ::close(fd);
    CHECK(got == bytes);
    co_return;
  }(dir, all));
}

TEST_CASE("operations dropped at once, again and again, are done whole or not at all") {
  const test::settled_leak_check leaks;
  auto rt = test::make_runtime();
  for (int round = 0; round < 50; ++round) {
    const folder dir;
    furnish(dir);
    // In a pool the next block_on is on another loop, which has none of these jobs.
    using counter = const std::atomic<std::uint32_t>;
    auto* const jobs = rt.block_on([](const folder& d, int turns) -> future<counter*> {
      co_await begin_and_drop_each(d);
      for (int i = 0; i < turns; ++i) co_await eddy::yield_now();
      co_return &test::here().blocking_jobs;
    }(dir, round));
    rt.block_on([](const folder& d, counter* left) -> future<> {
      while (left->load() != 0) co_await eddy::yield_now();
      const auto written = contents(d.file("written"));
      CHECK((written.empty() || written == "x" || written == std::string(100, 'x')));
      const auto copied = contents(d.file("copied"));
      CHECK((copied.empty() || copied == "a"));
      CHECK((contents(d.file("b")) == "b") != (contents(d.file("renamed")) == "b"));
    }(dir, jobs));
  }
}

// ---- files

TEST_CASE("a dropped read loses nothing, and moves nothing") {
  const folder dir;
  dir.with("a", "0123456789");
  const test::settled_leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([](const folder& d) -> future<> {
    auto f = co_await fs::open_options().read(true).write(true).open(d.file("a"));
    std::array<char, 4> bytes;
    std::string got;
    while (got.size() < 10) {
      if (auto ended = co_await begin_and_drop(f.read(bytes)))
        got.append(bytes.data(), ended->value());
      std::array<char, 1> one;
      if (co_await f.read(one) == 1) got += one[0];
    }
    CHECK(got == "0123456789");
    // Until it has been dropped while it waited.
    co_await f.seek(2);
    while (co_await begin_and_drop(f.read(bytes))) co_await f.seek(2);
    CHECK(co_await f.stream_position() == 2);
    while (co_await begin_and_drop(f.read(bytes))) co_await f.seek(2);
    co_await f.write_all("X");
    co_await f.flush();
    CHECK(contents(d.file("a")) == "01X3456789");
    while (co_await begin_and_drop(f.read(bytes))) co_await f.seek(3);
    auto g = fs::file::from_descriptor(co_await f.into_descriptor());
    CHECK(co_await g.stream_position() == 3);
  }(dir));
}

TEST_CASE("an accepted write is whole, whatever is dropped") {
  const folder dir;
  const std::string all(300'000, 'x');
  const test::settled_leak_check leaks;
  for (int round = 0; round < 30; ++round) {
    ::unlink(dir.file("a").c_str());
    auto rt = test::make_runtime();
    rt.block_on([](const folder& d, const std::string& bytes, int n) -> future<> {
      auto f = co_await fs::file::create(d.file("a"));
      CHECK(co_await f.write(bytes) == bytes.size());
      for (int i = 0; i < n % 3; ++i)
        co_await begin_and_drop(f.write("y"));  // it waits: not accepted
      if (n % 2 == 0) co_await begin_and_drop(f.flush());
      // The file goes, and the runtime.
    }(dir, all, round));
  }
  // Nobody waits for it, but us.
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (contents(dir.file("a")).size() < all.size() && std::chrono::steady_clock::now() < patience)
    std::this_thread::yield();
  CHECK(contents(dir.file("a")).starts_with(all));
}

TEST_CASE("an accepted write is written though the runtime ends before a thread comes to it") {
  const folder dir;
  dir.with("a", "");
  auto g = std::make_shared<all_threads>();
  {
    const test::settled_leak_check leaks;
    auto rt = test::make_runtime();
    rt.block_on([](const folder& d, std::shared_ptr<all_threads> threads) -> future<> {
      co_await threads->take();
      auto f = fs::file::from_descriptor(::open(d.file("a").c_str(), O_RDWR | O_CLOEXEC));
      CHECK(co_await f.write("accepted") == 8);
      co_await begin_and_drop(f.set_len(0));  // waits for the write: not begun
    }(dir, g));
    CHECK(contents(dir.file("a")).empty());
    g.reset();  // the threads are free again, and the runtime ends
  }
  CHECK(contents(dir.file("a")) == "accepted");
}

TEST_CASE("the next operation waits for one that was dropped while it ran") {
  const folder dir;
  const test::settled_leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([](const folder& d) -> future<> {
    auto f = co_await fs::file::create_new(d.file("a"));
    for (int i = 0; i < 50; ++i) {
      co_await f.write_all("0123456789");
      co_await begin_and_drop(f.sync_all());
      co_await begin_and_drop(f.seek(3));  // waits for the write, or happens
      co_await f.set_len(5);
      co_await f.seek(0);
      std::string bytes(100, '\0');
      CHECK(co_await f.read(bytes) == 5);
      CHECK(bytes.starts_with("01234"));
      co_await f.seek(0);
    }
  }(dir));
}

TEST_CASE("a dropped next_entry loses no name") {
  const folder dir;
  for (int i = 0; i < 300; ++i) dir.with(std::to_string(i), "");
  const test::settled_leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([](const folder& d) -> future<> {
    auto entries = co_await fs::read_dir(d.path());
    long sum = 0;
    for (;;) {
      std::optional<fs::dir_entry> e;
      auto look = [&](eddy::context& cx) -> eddy::polled<> {
        if (auto p = entries.next_entry().poll(cx)) e = **p;
        return eddy::ready;
      };
      co_await eddy::poll_fn(look);
      if (!e) {
        auto moved = std::move(entries);
        entries = std::move(moved);
        e = co_await entries.next_entry();
      }
      if (!e) break;
      sum += std::stol(e->file_name());
    }
    CHECK(sum == 299 * 300 / 2);
    // One that goes while a thread reads.
    auto half = co_await fs::read_dir(d.path());
    for (int i = 0; i < 64; ++i) co_await half.next_entry();
    co_await begin_and_drop(half.next_entry());
  }(dir));
}

// ---- cut points

namespace {

future<> everything(const folder& d) {
  co_await stepped(fs::create_dir_all(d.file("x/y")));
  co_await stepped(fs::write(d.file("x/a"), "hello"));
  {
    auto f = co_await stepped(fs::open_options().read(true).write(true).open(d.file("x/a")));
    std::array<char, 3> bytes;
    co_await stepped(f.read(bytes));
    co_await stepped(f.write_all("LO!"));
    co_await stepped(f.flush());
    co_await stepped(f.seek(1));
    const std::array<eddy::io::const_buffer, 2> parts{"E", "L"};
    co_await stepped(f.write_vectored(parts));
    co_await stepped(f.sync_all());
    co_await stepped(f.sync_data());
    co_await stepped(f.set_len(4));
    co_await stepped(f.read_at(bytes, 0));
    co_await stepped(f.write_all_at("H", 0));
    co_await stepped(f.metadata());
    co_await stepped(f.set_permissions(fs::permissions(0600)));
    auto g = co_await stepped(f.try_clone());
    const int fd = co_await stepped(g.into_descriptor());
    ::close(fd);
  }
  co_await stepped(fs::read(d.file("x/a")));
  co_await stepped(fs::copy(d.file("x/a"), d.file("x/b")));
  co_await stepped(fs::rename(d.file("x/b"), d.file("x/c")));
  co_await stepped(fs::symlink("c", d.file("x/d")));
  co_await stepped(fs::metadata(d.file("x/d")));
  auto entries = co_await stepped(fs::read_dir(d.file("x")));
  while (co_await stepped(entries.next_entry())) {
  }
  co_await stepped(fs::remove_dir_all(d.file("x")));
}

}  // namespace

TEST_CASE("files and directories dropped at every cut point") {
  std::uint64_t cuts = 0;
  for (bool done = false; !done; ++cuts) {
    REQUIRE(cuts < 500);
    const folder dir;
    const test::settled_leak_check leaks;
    eddy::runtime rt;
    auto h = rt.spawn([](const folder* d) { return everything(*d); }, &dir);
    done = eddy::runtime_access::run_polls(rt, h, cuts);
    if (done) rt.block_on(std::move(h));
  }
  CHECK(cuts > 25);
}
