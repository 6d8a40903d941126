#pragma once

#include <doctest/doctest.h>

#include <utility>

#include "support/mock_task.hpp"

namespace test {

/// What a leaf that must be ready at once hands over.
template <class Leaf>
auto now(Leaf leaf) {
  mock_task task;
  auto p = task.poll(leaf);
  REQUIRE(p.is_ready());
  CHECK(task.take_wakes() == 0);
  return p.take();
}

}  // namespace test
