// The guide's snippets about pools.

#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace {

// [guide:pool]
eddy::future<std::int64_t> sum_of(std::vector<std::int64_t> part) {
  std::int64_t sum = 0;
  for (const auto v : part) sum += v;
  co_return sum;
}

eddy::future<std::int64_t> sum_of_all(std::vector<std::vector<std::int64_t>> parts) {
  std::vector<eddy::join_handle<std::int64_t>> sums;
  for (auto& part : parts) sums.push_back(eddy::spawn(sum_of(std::move(part))));
  std::int64_t total = 0;
  for (auto& one : sums) total += co_await one;
  co_return total;
}

std::int64_t on_four_threads(std::vector<std::vector<std::int64_t>> parts) {
  auto rt = eddy::runtime::builder().multi_loop().worker_threads(4).build();
  return rt.block_on(sum_of_all(std::move(parts)));
}
// [/guide:pool]

// [guide:place]
eddy::future<int> keep_book(eddy::sync::mpsc::receiver<int> orders) {
  int position = 0;  // owned by this task; tasks of its spawn_local could share it
  while (const auto order = co_await orders.recv()) position += *order;
  co_return position;
}

eddy::future<int> keep_books(int orders) {
  const auto workers = eddy::handle::current().worker_count();
  std::vector<eddy::sync::mpsc::sender<int>> books;
  std::vector<eddy::join_handle<int>> ends;
  for (std::uint32_t k = 0; k < workers; ++k) {
    auto [tx, rx] = eddy::sync::mpsc::channel<int>(32);
    books.push_back(std::move(tx));
    ends.push_back(eddy::spawn_on(k, keep_book, std::move(rx)));
  }
  for (int i = 0; i < orders; ++i) co_await books[static_cast<std::size_t>(i) % workers].send(i);
  books.clear();
  int total = 0;
  for (auto& end : ends) total += co_await end;
  co_return total;
}
// [/guide:place]

// [guide:in_place]
eddy::future<std::size_t> store(const std::vector<std::string>& lines, std::FILE* file) {
  const auto written = eddy::block_in_place([&] {  // may borrow `lines` and `file`
    std::size_t bytes = 0;
    for (const auto& line : lines) bytes += std::fwrite(line.data(), 1, line.size(), file);
    return bytes;
  });
  co_await eddy::yield_now();
  co_return written;
}
// [/guide:in_place]

TEST_CASE("a pool sums parts on several threads") {
  CHECK(on_four_threads({{1, 2}, {3}, {}, {4, 5, 6}}) == 21);
}

TEST_CASE("each worker keeps its own book") {
  auto rt = eddy::runtime::builder().multi_loop().worker_threads(3).build();
  CHECK(rt.block_on(keep_books(10)) == 45);
}

TEST_CASE("block_in_place writes lines that it borrows") {
  auto rt = eddy::runtime::builder().multi_loop().worker_threads(1).build();
  std::FILE* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  const std::vector<std::string> lines{"north\n", "east\n"};
  CHECK(rt.block_on(store(lines, file)) == 11);
  std::fclose(file);
}

}  // namespace
