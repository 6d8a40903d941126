// The guide's snippets about locks and permits.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

eddy::future<int> ask(int n) {
  co_await eddy::sleep(10ms);
  co_return n + 1;
}

// [guide:mutex]
struct connection {
  int asked = 0;
};

eddy::future<int> query(std::shared_ptr<eddy::sync::mutex<connection>> db, int n) {
  auto c = co_await db->lock();  // one query at a time, in order of arrival
  ++c->asked;
  co_return co_await ask(n);  // the lock is held across the wait
}  // unlocked here, or when the task is dropped
// [/guide:mutex]

// [guide:rw_lock]
using settings = std::map<std::string, std::string>;

eddy::future<std::string> look_up(eddy::sync::rw_lock<settings>& all, std::string key) {
  auto s = co_await all.read();  // others may read meanwhile
  const auto found = s->find(key);
  co_return found == s->end() ? "" : found->second;
}

eddy::future<std::size_t> change(eddy::sync::rw_lock<settings>& all, std::string key,
                                 std::string value) {
  auto s = co_await all.write();
  s->insert_or_assign(std::move(key), std::move(value));
  const auto now = std::move(s).downgrade();  // now a reader; no writer came in between
  co_return now->size();
}
// [/guide:rw_lock]

// [guide:semaphore]
eddy::future<int> limited(std::shared_ptr<eddy::sync::semaphore> slots, int n) {
  auto slot = co_await slots->acquire();  // waits its turn: first come, first served
  co_return co_await ask(n);
}

eddy::future<int> ask_for_all(std::vector<int> numbers) {
  auto slots = std::make_shared<eddy::sync::semaphore>(2);  // at most two at a time
  std::vector<eddy::join_handle<int>> tasks;
  for (const int n : numbers) tasks.push_back(eddy::spawn(limited(slots, n)));
  int sum = 0;
  for (auto& t : tasks) sum += co_await t;
  co_return sum;
}
// [/guide:semaphore]

TEST_CASE("a mutex, an rw_lock and a semaphore do what the guide says") {
  const test::leak_check leaks;
  auto rt = eddy::runtime::builder().start_paused().build();
  rt.block_on([]() -> eddy::future<> {
    const auto start = eddy::clock::now();
    auto db = std::make_shared<eddy::sync::mutex<connection>>();
    auto other = eddy::spawn(query(db, 1));
    const int mine = co_await query(db, 2);
    CHECK(mine == 3);
    const int others = co_await other;
    CHECK(others == 2);
    CHECK(db->get_mut().asked == 2);
    CHECK(eddy::clock::now() - start == 20ms);

    eddy::sync::rw_lock<settings> all;
    const auto size = co_await change(all, "colour", "blue");
    CHECK(size == 1);
    const auto colour = co_await look_up(all, "colour");
    CHECK(colour == "blue");

    const auto before = eddy::clock::now();
    std::vector<int> numbers{1, 2, 3, 4};
    const int sum = co_await ask_for_all(numbers);
    CHECK(sum == 14);
    CHECK(eddy::clock::now() - before == 20ms);
  });
}

}  // namespace
