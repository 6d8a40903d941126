#pragma once

#include <span>
#include <string_view>

#include <eddy/core/future.hpp>
#include <eddy/runtime/runtime.hpp>

namespace bench {

/// Something to be timed: `make()` does `count` operations.
struct workload {
  std::string_view name;
  int count;
  eddy::future<> (*make)();
};

/// One that is run on a pool, from outside.
struct pool_workload {
  std::string_view name;
  int count;
  void (*run)(eddy::runtime&);
};

inline constexpr int operations = 100'000;

// Not seen through by the optimiser.
template <class T>
void keep(T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

/// sync.cpp's: channels and locks.
std::span<const workload> sync_workloads();
/// combinators.cpp's: select, join and timers.
std::span<const workload> combinator_workloads();
/// io.cpp's: readers and writers in memory.
std::span<const workload> io_workloads();
/// fs.cpp's: files.
std::span<const workload> fs_workloads();
/// pool.cpp's: the scheduler of a pool.
std::span<const pool_workload> pool_workloads();

}  // namespace bench
