#include <eddy/core/detail/wake_list.hpp>

#include <doctest/doctest.h>

#include "support/mock_task.hpp"

namespace {

using eddy::waker;
using eddy::detail::wake_list;
using test::mock_task;

TEST_CASE("wakes at its end whom it was given, and gives the references back") {
  mock_task one, two;
  {
    wake_list wakes;
    wakes.add(waker(one));
    wakes.add(waker(two));
    wakes.add(waker(two));
    CHECK_FALSE(one.is_woken());
    CHECK(two.references() == 2);
  }
  CHECK(one.take_wakes() == 1);
  CHECK(two.take_wakes() == 2);
  CHECK(one.references() + two.references() == 0);
}

TEST_CASE("is full at some time, and empty after wake_all") {
  mock_task t;
  wake_list wakes;
  CHECK_FALSE(wakes.full());
  int n = 0;
  for (; !wakes.full(); ++n) wakes.add(waker(t));
  CHECK(n >= 16);
  wakes.wake_all();
  CHECK(t.take_wakes() == n);
  CHECK_FALSE(wakes.full());
  wakes.add(waker(t));
  wakes.wake_all();
  wakes.wake_all();
  CHECK(t.take_wakes() == 1);
}

TEST_CASE("an empty waker wakes nobody") {
  wake_list wakes;
  wakes.add(waker());
  wakes.wake_all();
  CHECK_FALSE(wakes.full());
}

}  // namespace
