#include <eddy/base/detail/frame_pool.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "base/sanitizer.hpp"
#include "base/slab.hpp"

namespace {

using namespace eddy::detail;

struct frame {
  unsigned char* at;
  std::size_t bytes;
};

frame make(std::size_t bytes) {
  auto* const p = static_cast<unsigned char*>(frame_allocate(bytes));
  if (p != nullptr) std::memset(p, static_cast<int>(bytes % 251), bytes);
  return {p, bytes};
}

bool intact(const frame& f) {
  for (std::size_t i = 0; i < f.bytes; ++i)
    if (f.at[i] != f.bytes % 251) return false;
  return true;
}

void drop(const frame& f) { frame_release(f.at, f.bytes); }

TEST_CASE("blocks of every size are aligned to 64, distinct and writable") {
  const std::size_t before = live_frames();
  std::vector<frame> frames;
  for (std::size_t bytes = 0; bytes < 5000; bytes += 13) frames.push_back(make(bytes));
  for (const std::size_t bytes :
       std::initializer_list<std::size_t>{64, 4095, 4096, 4097, 65536, 1 << 20})
    frames.push_back(make(bytes));
  CHECK(live_frames() == before + frames.size());
  for (const frame& f : frames) {
    REQUIRE(f.at != nullptr);
    REQUIRE(reinterpret_cast<std::uintptr_t>(f.at) % 64 == 0);
    REQUIRE(intact(f));
    drop(f);
  }
  CHECK(live_frames() == before);
}

#if defined(__linux__) && !EDDY_SANITIZED
std::size_t resident_pages() {
  std::size_t whole = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> whole >> resident;
  return resident;
}

TEST_CASE(
    "memory is resident only when used, and all but a bounded part goes back when it is not") {
  constexpr std::size_t count = 100'000, bytes = 640, page = 4096;
  std::vector<unsigned char*> frames(count);
  const std::size_t before = resident_pages();
  for (unsigned char*& p : frames) {
    p = static_cast<unsigned char*>(frame_allocate(bytes));
    p[0] = p[bytes - 1] = 1;
  }
  const std::size_t full = resident_pages();
  CHECK(full - before >= count * bytes / page);
  CHECK(full - before < count * bytes / page * 102 / 100 + 100);
  for (unsigned char* p : frames) frame_release(p, bytes);
  // What is kept for the next burst is bounded (slab.hpp, I5).
  constexpr std::size_t kept = std::size_t{chunk_pool::most_spares} * chunk_bytes / page;
  CHECK(resident_pages() < before + kept + 100);
}
#endif

#if !EDDY_SANITIZED  // sanitizers abort on such a size instead
TEST_CASE("what cannot be had is null") {
  const std::size_t before = live_frames();
  CHECK(frame_allocate(~std::size_t{0} / 4) == nullptr);
  CHECK(live_frames() == before);
}
#endif

TEST_CASE("the block released last is the next one out") {
  const frame keep = make(128);
  const frame a = make(128);
  drop(a);
  const frame b = make(100);  // same class
  CHECK(a.at == b.at);
  drop(b);
  drop(keep);
}

TEST_CASE("a steady loop stays in its chunk, also when it is the only block") {
  std::set<chunk*> chunks;
  for (int i = 0; i < 10'000; ++i) {
    const frame f = make(704);
    chunks.insert(chunk_of(f.at));
    drop(f);
  }
  CHECK(chunks.size() == 1);
}

TEST_CASE("a burst over many chunks is reused and leaves nothing behind") {
  const std::size_t before = live_frames();
  std::mt19937 random(5);
  std::vector<frame> frames;
  for (int step = 0; step < 60'000; ++step) {
    const bool grow = step < 30'000 ? random() % 4 != 0 : random() % 4 == 0;
    if (grow || frames.empty()) {
      frames.push_back(make(1 + random() % 700));
      continue;
    }
    std::swap(frames[random() % frames.size()], frames.back());
    REQUIRE(intact(frames.back()));
    drop(frames.back());
    frames.pop_back();
    if (step % 1000 == 0) REQUIRE(live_frames() == before + frames.size());
  }
  for (const frame& f : frames) {
    REQUIRE(intact(f));
    drop(f);
  }
  CHECK(live_frames() == before);
}

TEST_CASE("a block released elsewhere goes home and is used there") {
  const std::size_t before = live_frames();
  // All blocks of a chunk, so that the owner must look at what came home before it finds another.
  std::vector<frame> frames;
  std::set<unsigned char*> first;
  frames.push_back(make(3000));
  chunk* const home = chunk_of(frames[0].at);
  while (chunk_of(frames.back().at) == home) {
    first.insert(frames.back().at);
    frames.push_back(make(3000));
  }
  std::thread([&] {
    for (const frame& f : frames) drop(f);
  }).join();
  CHECK(live_frames() == before);
  std::size_t again = 0;
  frames.clear();
  for (int i = 0; i < 60; ++i) {
    frames.push_back(make(3000));
    again += first.count(frames.back().at);
  }
  CHECK(again == first.size());
  for (const frame& f : frames) drop(f);
  CHECK(live_frames() == before);
}

TEST_CASE("blocks outlive their thread, and the next thread inherits its heap") {
  const std::size_t before = live_frames();
  frame a{}, b{};
  chunk_pool* owner = nullptr;
  std::thread([&] {
    a = make(500);
    b = make(500);
    owner = chunk_of(a.at)->owner;
  }).join();
  CHECK(live_frames() == before + 2);
  CHECK(intact(a));
  drop(a);  // to a heap nobody has
  CHECK(live_frames() == before + 1);
  std::thread([&] {
    const frame c = make(64);
    CHECK(chunk_of(c.at)->owner == owner);
    CHECK(intact(b));
    drop(b);  // inherited, so released as one's own
    drop(c);
  }).join();
  CHECK(live_frames() == before);
}

std::set<chunk_pool*> late_owners;

struct late {
  frame kept{};
  ~late() {
    if (kept.at == nullptr) return;
    drop(kept);
    for (int i = 0; i < 3; ++i) {
      const frame f = make(200);
      late_owners.insert(chunk_of(f.at)->owner);
      drop(f);
    }
    drop(make(5000));
  }
};
thread_local late past_the_hook;

TEST_CASE("destructors of a thread's other thread_locals still allocate and release") {
  const std::size_t before = live_frames();
  chunk_pool* owner = nullptr;
  std::thread([&] {
    past_the_hook.kept.at = nullptr;  // constructed before the pool's hook, so destroyed after it
    past_the_hook.kept = make(200);
    owner = chunk_of(past_the_hook.kept.at)->owner;
  }).join();
  CHECK(live_frames() == before);
  CHECK(late_owners == std::set{owner});  // borrowed and given back each time
}

TEST_CASE("threads that come and go release each other's blocks") {
  const std::size_t before = live_frames();
  std::mutex mutex;
  std::vector<frame> pile;
  std::atomic<int> damaged{0};
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 1500; ++i) {
      const frame made = make(1 + random() % 1200);
      frame taken{};
      {
        const std::lock_guard lock(mutex);
        pile.push_back(made);
        if (pile.size() > 300 || random() % 2 == 0) {
          std::swap(pile[random() % pile.size()], pile.back());
          taken = pile.back();
          pile.pop_back();
        }
      }
      if (taken.at == nullptr) continue;
      if (!intact(taken)) damaged.fetch_add(1);
      drop(taken);
    }
  };
  for (unsigned round = 0; round < 6; ++round) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; ++i) threads.emplace_back(work, round * 4 + i);
    for (std::thread& t : threads) t.join();
  }
  CHECK(damaged.load() == 0);
  CHECK(live_frames() == before + pile.size());
  for (const frame& f : pile) drop(f);
  CHECK(live_frames() == before);
}

TEST_CASE("one thread allocates, another releases: memory comes back while both run") {
  constexpr std::size_t ring = 64;
  std::atomic<unsigned char*> slots[ring] = {};
  std::set<chunk*> chunks;
  std::atomic<int> damaged{0};
  constexpr std::size_t total = 50'000;
  std::thread consumer([&] {
    for (std::size_t i = 0; i < total; ++i) {
      unsigned char* p;
      while ((p = slots[i % ring].exchange(nullptr)) == nullptr) std::this_thread::yield();
      const frame f{p, 256};
      if (!intact(f)) damaged.fetch_add(1);
      drop(f);
    }
  });
  for (std::size_t i = 0; i < total; ++i) {
    const frame f = make(256);
    chunks.insert(chunk_of(f.at));
    while (slots[i % ring].load() != nullptr) std::this_thread::yield();
    slots[i % ring].store(f.at);
  }
  consumer.join();
  CHECK(damaged.load() == 0);
  CHECK(chunks.size() <= 3);  // 50 000 blocks would be 197
}

#ifdef EDDY_ASAN
TEST_CASE("a released block is poisoned, an allocated one is not") {
  const frame keep = make(300);
  const frame f = make(300);
  CHECK_FALSE(__asan_address_is_poisoned(f.at));
  drop(f);
  CHECK(__asan_address_is_poisoned(f.at));
  CHECK(__asan_address_is_poisoned(f.at + 299));
  CHECK_FALSE(__asan_address_is_poisoned(keep.at));
  drop(keep);
}
#endif

}  // namespace
