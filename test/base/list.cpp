#include <eddy/base/detail/list.hpp>

#include <doctest/doctest.h>

#include <utility>
#include <vector>

namespace {

using namespace eddy::detail;

struct item : list_node {
  explicit item(int n) : value(n) {}
  int value;
};

std::vector<int> drain(list<item>& items) {
  std::vector<int> values;
  while (item* i = items.pop_front()) values.push_back(i->value);
  return values;
}

TEST_CASE("a new list is empty, a new node is in none") {
  list<item> items;
  item a(1);
  CHECK(items.empty());
  CHECK(items.front() == nullptr);
  CHECK(items.pop_front() == nullptr);
  CHECK_FALSE(a.linked());
}

TEST_CASE("items come out in order, from either end") {
  list<item> items;
  item a(1), b(2), c(3);
  items.push_back(b);
  items.push_back(c);
  items.push_front(a);
  CHECK(a.linked());
  CHECK(items.front() == &a);
  CHECK(items.after(a) == &b);
  CHECK(items.after(c) == nullptr);
  CHECK(drain(items) == std::vector{1, 2, 3});
  CHECK(items.empty());
  CHECK_FALSE(a.linked());
  CHECK_FALSE(c.linked());
}

TEST_CASE("an item leaves from anywhere without its list, and can come back") {
  list<item> items;
  item a(1), b(2), c(3);
  for (item* i : {&a, &b, &c}) items.push_back(*i);
  SUBCASE("first") {
    a.unlink();
    CHECK(drain(items) == std::vector{2, 3});
  }
  SUBCASE("middle") {
    list<item>::erase(b);
    CHECK(drain(items) == std::vector{1, 3});
  }
  SUBCASE("last") {
    c.unlink();
    CHECK(drain(items) == std::vector{1, 2});
  }
  SUBCASE("only") {
    a.unlink();
    c.unlink();
    b.unlink();
    CHECK(items.empty());
  }
  SUBCASE("again") {
    a.unlink();
    items.push_back(a);
    CHECK(drain(items) == std::vector{2, 3, 1});
  }
  CHECK(items.empty());
}

TEST_CASE("splicing takes everything, in order, and leaves the other empty and usable") {
  list<item> to, from;
  item a(1), b(2), c(3), d(4);
  to.push_back(a);
  from.push_back(b);
  from.push_back(c);
  to.splice_back(from);
  CHECK(from.empty());
  to.splice_back(from);  // nothing to take
  from.push_back(d);
  to.splice_back(from);
  CHECK(drain(to) == std::vector{1, 2, 3, 4});
}

TEST_CASE("a list moves with what it holds") {
  list<item> from;
  item a(1), b(2);
  from.push_back(a);
  from.push_back(b);
  list<item> to(std::move(from));
  CHECK(drain(to) == std::vector{1, 2});
}

TEST_CASE("an unlinked node moves and stays unlinked") {
  item a(7);
  item b(std::move(a));
  CHECK(b.value == 7);
  CHECK_FALSE(b.linked());
}

constexpr bool works_in_constant_expressions() {
  struct number : list_node {};
  list<number> numbers;
  number a;
  numbers.push_back(a);
  const bool in = a.linked();
  a.unlink();
  return in && numbers.empty();
}
static_assert(works_in_constant_expressions());

}  // namespace
