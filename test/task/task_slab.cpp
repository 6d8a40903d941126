#include "task/task_slab.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace eddy::detail;

int runtime_a;

bool aligned(const void* p, std::size_t to) {
  return reinterpret_cast<std::uintptr_t>(p) % to == 0;
}

TEST_CASE("blocks of every size are aligned, distinct, writable, and know their runtime and slab") {
  task_slab slab(&runtime_a);
  std::vector<std::pair<unsigned char*, std::size_t>> blocks;
  std::vector<std::size_t> sizes;
  for (std::size_t n = 0; n <= 1100; n += 7) sizes.push_back(n);
  for (const std::size_t n : std::initializer_list<std::size_t>{16, 64, 1024, 1025, 4096, 65000,
                                                                65535, 65536, 70000, 1 << 20})
    sizes.push_back(n);
  for (const std::size_t n : sizes) {
    CAPTURE(n);
    for (int i = 0; i < 3; ++i) {
      auto* const p = static_cast<unsigned char*>(slab.allocate(n));
      REQUIRE(p != nullptr);
      REQUIRE(aligned(p, 16));
      REQUIRE(task_slab::runtime(p) == &runtime_a);
      REQUIRE(task_slab::home(p) == &slab);
      REQUIRE(task_slab::info(p).id == 0);
      task_slab::info(p) = {blocks.size() + 1, "task", &slab};
      std::memset(p, static_cast<int>(blocks.size() % 251), n);
      blocks.emplace_back(p, n);
    }
  }
  CHECK(slab.live() == blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto [p, n] = blocks[i];
    REQUIRE(task_slab::info(p).id == i + 1);
    for (std::size_t at = 0; at < n; ++at) REQUIRE(p[at] == i % 251);
    task_slab::release(p);
  }
  CHECK(slab.live() == 0);
}

TEST_CASE("a 64-byte task is one cache line, and 743 of them share a chunk") {
  task_slab slab(&runtime_a);
  std::vector<void*> blocks;
  std::set<chunk*> chunks;
  for (int i = 0; i < 743; ++i) {
    blocks.push_back(slab.allocate(64));
    REQUIRE(aligned(blocks.back(), 64));
    chunks.insert(chunk_of(blocks.back()));
  }
  CHECK(chunks.size() == 1);
  blocks.push_back(slab.allocate(64));
  CHECK(chunk_of(blocks.back()) != chunk_of(blocks.front()));
  for (void* p : blocks) task_slab::release(p);
}

TEST_CASE("a released block is used again, its info cleared") {
  task_slab slab(&runtime_a);
  void* const p = slab.allocate(64);
  task_slab::info(p) = {9, "old", nullptr};
  task_slab::release(p);
  void* const q = slab.allocate(60);
  CHECK(p == q);
  CHECK(task_slab::info(q).id == 0);
  task_slab::release(q);
}

TEST_CASE("for_each finds exactly the blocks with an id") {
  task_slab slab(&runtime_a);
  std::mt19937 random(3);
  std::set<void*> expected;
  std::vector<void*> unnamed;
  std::uint64_t id = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (expected.size() > 100 && random() % 3 == 0) {
      const auto at = std::next(expected.begin(), static_cast<std::ptrdiff_t>(random() % 50));
      task_slab::release(*at);
      expected.erase(at);
      continue;
    }
    void* const p = slab.allocate(step % 997 == 0 ? 3000 : 48 + random() % 64);
    if (random() % 50 == 0) {
      unnamed.push_back(p);
    } else {
      task_slab::info(p).id = ++id;
      expected.insert(p);
    }
  }
  std::set<void*> found;
  slab.for_each([&](void* p) { CHECK(found.insert(p).second); });
  CHECK(found == expected);
  CHECK(slab.live() == expected.size() + unnamed.size());
  for (void* p : expected) task_slab::release(p);
  slab.for_each([](void*) { FAIL_CHECK("nothing has an id any more"); });
  for (void* p : unnamed) task_slab::release(p);
  CHECK(slab.live() == 0);
}

TEST_CASE("absurd sizes are refused") {
  task_slab slab(&runtime_a);
  CHECK(slab.allocate(~std::size_t{0}) == nullptr);
  CHECK(slab.allocate(std::size_t{1} << 40) == nullptr);
}

TEST_CASE("orphaned blocks stay valid and stand alone") {
  auto slab = std::make_unique<task_slab>(&runtime_a);
  std::vector<unsigned char*> blocks;
  for (int i = 0; i < 3000; ++i)
    blocks.push_back(static_cast<unsigned char*>(slab->allocate(i % 100 == 0 ? 2000 : 64)));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    task_slab::info(blocks[i]) = {i + 1, "x", nullptr};
    std::memset(blocks[i], static_cast<int>(i % 251), 64);
  }
  for (int i = 0; i < 1000; ++i) {
    task_slab::release(blocks.back());
    blocks.pop_back();
  }
  SUBCASE("in one step") { slab->orphan(); }
  SUBCASE("shared first") {
    slab->share();
    CHECK(slab->allocate(64) == nullptr);
    CHECK(slab->allocate(2000) == nullptr);
    CHECK(task_slab::runtime(blocks[0]) == &runtime_a);
    for (int i = 0; i < 900; ++i) {
      task_slab::release(blocks.back());
      blocks.pop_back();
    }
    slab->orphan();
  }
  SUBCASE("by the destructor") {}
  slab.reset();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    REQUIRE(task_slab::runtime(blocks[i]) == nullptr);
    REQUIRE(task_slab::home(blocks[i]) == nullptr);
    REQUIRE(task_slab::info(blocks[i]).id == i + 1);
    REQUIRE(blocks[i][63] == i % 251);
    task_slab::release(blocks[i]);
  }
}

TEST_CASE("threads release while the runtime ends") {
  for (int round = 0; round < 20; ++round) {
    auto slab = std::make_unique<task_slab>(&runtime_a);
    std::vector<void*> blocks(4000);
    for (void*& p : blocks) {
      p = slab->allocate(64);
      task_slab::info(p).id = 1;
    }
    slab->share();
    std::atomic<int> started{0};  // only to make them overlap
    const auto release_from = [&](std::size_t at) {
      started.fetch_add(1);
      for (; at < blocks.size(); at += 3) {
        void* const answer = task_slab::runtime(blocks[at]);
        if (answer != nullptr && answer != &runtime_a) std::abort();
        std::memset(blocks[at], 1, 64);
        task_slab::release(blocks[at]);
      }
    };
    std::thread one(release_from, 0), two(release_from, 1);
    while (started.load() == 0) std::this_thread::yield();
    slab->orphan();
    slab.reset();
    release_from(2);
    one.join();
    two.join();
  }
}

}  // namespace
