// The right forms of docs/pitfalls.md.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

// [guide:by_value]
eddy::future<std::size_t> length(std::string s) {  // its own copy, in its frame
  co_await eddy::sleep(1ms);
  co_return s.size();
}
// [/guide:by_value]

// [guide:lambda_object]
eddy::future<int> lambda_object(int n) {
  const auto twice = [n]() -> eddy::future<int> {
    co_await eddy::sleep(1ms);
    co_return 2 * n;
  };
  auto first = twice();  // `twice` outlives this future
  const int a = co_await std::move(first);
  const int b = co_await eddy::spawn(twice);  // the task has its own copy
  co_return a + b;
}
// [/guide:lambda_object]

// [guide:snapshot]
using members = std::map<int, eddy::sync::mpsc::sender<std::string>>;

eddy::future<> tell_all(members& all, std::string text) {
  std::vector<eddy::sync::mpsc::sender<std::string>> now;
  for (const auto& [id, tx] : all) now.push_back(tx);
  for (auto& tx : now) static_cast<void>(co_await eddy::attempt(tx.send(text)));
}
// [/guide:snapshot]

// [guide:short_lock]
class ledger {
 public:
  eddy::future<int> add(std::string name) {
    int n = 0;
    {
      const std::lock_guard held(mutex_);
      n = ++counts_[std::move(name)];
    }  // unlocked before the await
    co_await eddy::sleep(1ms);
    co_return n;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> counts_;
};
// [/guide:short_lock]

// [guide:pieces]
eddy::future<std::uint64_t> checksum(std::vector<std::uint8_t> data) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    sum = sum * 31 + data[i];
    if (i % 16384 == 16383) co_await eddy::yield_now();
  }
  co_return sum;
}
// [/guide:pieces]

// [guide:last_sender]
eddy::future<int> last_sender() {
  auto [tx, rx] = eddy::sync::mpsc::channel<int>(2);
  eddy::spawn([to = std::move(tx)]() -> eddy::future<> { co_await to.send(1); });
  int sum = 0;
  while (auto v = co_await rx.recv()) sum += *v;  // ends: the task has destroyed the only sender
  co_return sum;
}
// [/guide:last_sender]

// [guide:not_send]
class session {  // has an `rc` member, which `spawn` cannot see
 public:
  using not_send = void;
  int add(int n) { return *total_ += n; }

 private:
  eddy::rc<int> total_ = eddy::make_rc<int>(0);
};
static_assert(!eddy::is_send_v<session>);
// [/guide:not_send]

eddy::future<std::string> told() {
  auto [tx, rx] = eddy::sync::mpsc::channel<std::string>(1);
  members all;
  all.emplace(1, std::move(tx));
  co_await tell_all(all, "hello");
  all.clear();
  auto text = co_await rx.recv();
  co_return text.value_or("");
}

}  // namespace

TEST_CASE("the right forms of the pitfalls give the right results") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  CHECK(rt.block_on(length("eddy")) == 4);
  CHECK(rt.block_on(lambda_object(2)) == 8);
  CHECK(rt.block_on(told()) == "hello");
  ledger counts;
  CHECK(rt.block_on(counts.add("a")) == 1);
  CHECK(rt.block_on(counts.add("a")) == 2);
  CHECK(rt.block_on(checksum({1, 2})) == 33);
  CHECK(rt.block_on(last_sender()) == 1);
  CHECK(session().add(3) == 3);
}
