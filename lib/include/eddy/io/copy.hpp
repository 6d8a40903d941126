#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/io/concepts.hpp>
#include <eddy/io/detail/flush_step.hpp>
#include <eddy/io/detail/step.hpp>
#include <eddy/io/read.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

inline constexpr std::size_t copy_block = 16384;

// What a writer holds back goes out, and it is told that there is no more, as far as it can be told.
template <class W>
future<result<void>> run_flush(W* to) {
  if constexpr (requires { to->flush(); })
    co_return co_await attempt(to->flush());
  else
    co_return result<void>();
}
template <class W>
future<result<void>> run_finish(W* to) {
  auto done = co_await run_flush(to);
  if (!done) co_return done;
  if constexpr (requires { to->shutdown_write(); }) {
    auto ended = to->shutdown_write();
    // The other side may be gone already; then there is nobody to tell.
    if (!ended && ended.error() != std::errc::not_connected) co_return ended;
  }
  co_return result<void>();
}

// What a copy gets its next bytes by.
template <class R>
class read_some {
 public:
  read_some(R& from, io::buffer bytes) noexcept : from_(&from), bytes_(bytes) {}
  auto operator()() const { return from_->read(bytes_); }

 private:
  R* from_;
  io::buffer bytes_;
};
template <class B>
class fill_some {
 public:
  explicit fill_some(B& from) noexcept : from_(&from) {}
  auto operator()() const { return from_->fill(); }

 private:
  B* from_;
};

/// Gets bytes, and while there are none what the writer holds back goes out: whoever sends may be waiting for an
/// answer to it.
template <class Begin, class W>
class [[nodiscard]] or_flush {
  using operation = std::invoke_result_t<Begin&>;
  using answer = result<typename branch<operation>::value_type>;

 public:
  or_flush(Begin begin, W& to, bool flushed) noexcept
      : begin_(begin), to_(&to), flushed_(flushed) {}
  polled<answer> poll(context& cx) noexcept {
    if (flush_.running()) {  // one that has begun comes to its end
      auto p = flush(cx);
      if (!p) return pending;
      if (!p->has_value()) return answer(std::move(*p).error());
    }
    auto p = get_.poll(cx, begin_);
    if (p) {
      if (!p->has_value()) return answer(to_error(std::move(*p).error()));
      return answer(**p);
    }
    if (flushed_) return pending;
    auto out = flush(cx);
    if (out && !out->has_value()) return answer(std::move(*out).error());
    return pending;
  }

 private:
  polled<result<void>> flush(context& cx) noexcept {
    auto p = flush_.poll(cx, *to_);
    if (p) flushed_ = true;
    return p;
  }

  Begin begin_;
  W* to_;
  step<operation> get_;
  [[no_unique_address]] flush_step<W> flush_;
  bool flushed_;
};

/// Copies until the end; what was copied is counted as it goes.
template <class R, class W>
future<result<void>> run_copy(R* from, W* to, std::uint64_t* copied, std::size_t block) {
  const std::unique_ptr<char[]> data(new char[block]);
  const read_some<R> some(*from, io::buffer(data.get(), block));
  for (;;) {
    auto n = co_await attempt(or_flush<read_some<R>, W>(some, *to, *copied == 0));
    if (!n) co_return std::move(n).error();
    if (*n == 0) co_return co_await run_flush(to);
    auto done = co_await run_write_all(to, io::const_buffer(data.get(), *n));
    if (!done) co_return done;
    *copied += *n;
  }
}

template <class B, class W>
future<result<std::uint64_t>> run_copy_buf(B* from, W* to) {
  std::uint64_t copied = 0;
  const fill_some<B> some(*from);
  for (;;) {
    auto there = co_await attempt(or_flush<fill_some<B>, W>(some, *to, copied == 0));
    if (!there) co_return std::move(there).error();
    if (there->empty()) break;
    auto n = co_await attempt(to->write(*there));
    if (!n) co_return std::move(n).error();
    if (*n == 0) co_return error(errc::closed, "copy", "a writer took no bytes");
    from->consume(*n);
    copied += *n;
  }
  auto done = co_await run_flush(to);
  if (!done) co_return std::move(done).error();
  co_return copied;
}

}  // namespace detail

namespace io {

/// Copies everything up to the end of `from` to `to`, and flushes it; how many bytes. `block` is how much is read
/// at once.
///
/// Cancel safety: up to a block that was read and not written is lost.
/// Lifetime: borrows both.
/// Cost: a frame and the block.
template <reader R, writer W>
operation<std::uint64_t> copy(R& from, W& to, std::size_t block = eddy::detail::copy_block) {
  return operation<std::uint64_t>(
      [](R* r, W* w, std::size_t size) -> future<result<std::uint64_t>> {
        std::uint64_t copied = 0;
        auto done = co_await eddy::detail::run_copy(r, w, &copied, size);
        if (!done) co_return std::move(done).error();
        co_return copied;
      }(&from, &to, block == 0 ? 1 : block));
}

/// The same out of a reader's own buffer, which saves a copy.
/// Cancel safety: nothing is lost: what was not written is still in the reader's buffer.
template <buffered_reader B, writer W>
operation<std::uint64_t> copy_buf(B& from, W& to) {
  return operation<std::uint64_t>(eddy::detail::run_copy_buf(&from, &to));
}

}  // namespace io

}}  // namespace eddy::EDDY_ABI
