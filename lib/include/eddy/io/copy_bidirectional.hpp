#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/combine/join.hpp>
#include <eddy/config.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/io/concepts.hpp>
#include <eddy/io/copy.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace io {

/// How many bytes went which way.
struct copied {
  std::uint64_t a_to_b;  ///< bytes read from the first and written to the second
  std::uint64_t b_to_a;  ///< the other way
};

}  // namespace io

namespace detail {

template <class R, class W>
future<result<void>> run_one_way(R* from, W* to, std::uint64_t* copied, std::size_t block) {
  auto done = co_await run_copy(from, to, copied, block);
  if (!done) co_return done;
  co_return co_await run_finish(to);
}

template <class A, class B>
future<result<io::copied>> run_both_ways(A* a, B* b, std::size_t block) {
  io::copied n{};
  auto done = co_await attempt(try_join(operation<void>(run_one_way(a, b, &n.a_to_b, block)),
                                        operation<void>(run_one_way(b, a, &n.b_to_a, block))));
  if (!done) co_return std::move(done).error();
  co_return n;
}

}  // namespace detail

namespace io {

/// Copies both ways at once, until both have ended; when one ends, the other side is told (its write side is
/// shut down) and the other way goes on: a proxy. The first failure ends both.
///
/// Cancel safety: up to a block each way that was read and not written is lost.
/// Lifetime: borrows both.
/// Cost: some frames and a block each way.
template <class A, class B>
  requires reader<A> && writer<A> && reader<B> && writer<B>
operation<copied> copy_bidirectional(A& a, B& b, std::size_t block = eddy::detail::copy_block) {
  return operation<copied>(eddy::detail::run_both_ways(&a, &b, block == 0 ? 1 : block));
}

}  // namespace io

}}  // namespace eddy::EDDY_ABI
