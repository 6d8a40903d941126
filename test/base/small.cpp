#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include <eddy/base/detail/intrusive_ptr.hpp>
#include <eddy/base/detail/manual_lifetime.hpp>
#include <eddy/base/detail/scope_exit.hpp>

using namespace eddy::detail;

namespace {

struct counted {
  int references = 0;
  void retain() noexcept { ++references; }
  void release() noexcept { --references; }
};

}  // namespace

TEST_CASE("scope_exit runs its function once, at the end of the scope") {
  int calls = 0;
  {
    const scope_exit guard([&] { ++calls; });
    CHECK(calls == 0);
  }
  CHECK(calls == 1);
}

TEST_CASE("a released scope_exit does nothing") {
  int calls = 0;
  {
    scope_exit guard([&] { ++calls; });
    guard.release();
  }
  CHECK(calls == 0);
}

TEST_CASE("manual_lifetime constructs and destroys only when told") {
  auto watched = std::make_shared<int>(7);
  {
    manual_lifetime<std::shared_ptr<int>> slot;
    CHECK(watched.use_count() == 1);
    slot.construct(watched);
    CHECK(watched.use_count() == 2);
    CHECK(*slot.get() == 7);
    slot.destroy();
    CHECK(watched.use_count() == 1);
  }
  CHECK(watched.use_count() == 1);
}

TEST_CASE("intrusive_ptr holds one reference per pointer") {
  counted object;
  {
    intrusive_ptr<counted> one(object);
    CHECK(object.references == 1);
    intrusive_ptr<counted> two(one);
    CHECK(object.references == 2);
    const intrusive_ptr<counted> moved(std::move(one));
    CHECK(object.references == 2);
    CHECK(!one);
    two = moved;
    CHECK(object.references == 2);
    two.reset();
    CHECK(object.references == 1);
    CHECK(moved.get() == &object);
  }
  CHECK(object.references == 0);
}

TEST_CASE("intrusive_ptr adopts and releases a reference without counting") {
  counted object;
  object.retain();
  auto p = intrusive_ptr<counted>::adopt(&object);
  CHECK(object.references == 1);
  CHECK(p.release() == &object);
  CHECK(!p);
  CHECK(object.references == 1);
}
