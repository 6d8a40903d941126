#pragma once
// The runtime of a test that holds on every kind of them: test/meson.build runs its executable once a kind.

#include <eddy/runtime/runtime.hpp>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runtime/edge_watch.hpp"

namespace test {

/// How many loops the environment asks for: EDDY_TEST_RUNTIME is `pool1` or `pool4`, or `pool4-poll`, which watches
/// everything by uv_poll; 0: not a pool.
inline std::uint32_t pool_size() {
  const char* const kind = std::getenv("EDDY_TEST_RUNTIME");
  if (kind == nullptr) return 0;
  if (kind == std::string_view("pool1")) return 1;
  if (kind == std::string_view("pool4")) return 4;
  if (kind == std::string_view("pool4-poll")) {
    eddy::detail::edge_watch::allow(false);
    return 4;
  }
  std::abort();
}

inline bool on_pool() { return pool_size() != 0; }

/// `b` builds a runtime of that kind.
inline eddy::runtime make_runtime(eddy::runtime::builder b = {}) {
#if EDDY_POOL
  if (const auto n = pool_size(); n != 0) b.multi_loop().worker_threads(n);
#endif
  return b.build();
}

}  // namespace test
