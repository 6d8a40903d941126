#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/io/concepts.hpp>
#include <eddy/io/read.hpp>
#include <eddy/io/step.hpp>

namespace eddy::inline EDDY_ABI {

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

/// Reads, and while there is nothing to read what the writer holds back goes out: whoever sends may be waiting for an
/// answer to it.
template <class R, class W>
class [[nodiscard]] read_or_flush {
  static constexpr bool can_flush = requires(W& w) { w.flush(); };

 public:
  read_or_flush(R& from, W& to, io::buffer bytes, bool flushed) noexcept
      : from_(&from), to_(&to), bytes_(bytes), flushed_(flushed) {}
  polled<result<std::size_t>> poll(context& cx) noexcept {
    error failed;
    if (flush_.running() && !flush(cx, failed))
      return pending;  // one that has begun comes to its end
    if (failed) return result<std::size_t>(std::move(failed));
    auto p = read_.poll(cx, [this] { return from_->read(bytes_); });
    if (p) {
      if (!p->has_value()) return result<std::size_t>(to_error(std::move(*p).error()));
      return result<std::size_t>(static_cast<std::size_t>(**p));
    }
    if (!flushed_ && flush(cx, failed) && failed) return result<std::size_t>(std::move(failed));
    return pending;
  }

 private:
  struct no_flush {
    static bool running() noexcept { return false; }
  };
  template <bool Can, class X>
  struct flush_step {
    using type = no_flush;
  };
  template <class X>
  struct flush_step<true, X> {
    using type = step<decltype(std::declval<X&>().flush())>;
  };

  /// True when it has ended.
  bool flush([[maybe_unused]] context& cx, [[maybe_unused]] error& failed) noexcept {
    if constexpr (can_flush) {
      auto p = flush_.poll(cx, [this] { return to_->flush(); });
      if (!p) return false;
      if (!p->has_value()) failed = to_error(std::move(*p).error());
    }
    flushed_ = true;
    return true;
  }

  R* from_;
  W* to_;
  io::buffer bytes_;
  step<read_of<R>> read_;
  typename flush_step<can_flush, W>::type flush_;
  bool flushed_;
};

/// Copies until the end; what was copied is counted as it goes.
template <class R, class W>
future<result<void>> run_copy(R* from, W* to, std::uint64_t* copied, std::size_t block) {
  const std::unique_ptr<char[]> data(new char[block]);
  for (;;) {
    auto n = co_await attempt(
        read_or_flush<R, W>(*from, *to, io::buffer(data.get(), block), *copied == 0));
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
  for (;;) {
    auto there = co_await attempt(from->fill());
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

}  // namespace eddy::inline EDDY_ABI
