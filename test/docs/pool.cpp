// The guide's part on a pool of threads.

#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <cstdint>
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

TEST_CASE("parts are summed on several threads") {
  CHECK(on_four_threads({{1, 2}, {3}, {}, {4, 5, 6}}) == 21);
}

}  // namespace
