#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/io/concepts.hpp>
#include <eddy/io/detail/step.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// The first delimiter in it, or null.
inline const char* find(io::const_buffer there, char delimiter) noexcept {
  return static_cast<const char*>(std::memchr(there.data(), delimiter, there.size()));
}

/// Moves what is buffered to `out`, up to and with the first `delimiter`; true when that was there.
template <class B>
bool take_until(B& from, io::const_buffer there, char delimiter, std::string& out) {
  const auto* const begin = static_cast<const char*>(there.data());
  const auto* const found = find(there, delimiter);
  const std::size_t n =
      found != nullptr ? static_cast<std::size_t>(found - begin) + 1 : there.size();
  out.append(begin, n);
  from.consume(n);
  return found != nullptr;
}

template <class B>
using fill_of = decltype(std::declval<B&>().fill());

/// Until the delimiter or the end of the stream; what has been read is in `out` all the time.
template <class B>
class [[nodiscard]] until_leaf {
 public:
  until_leaf(B& from, char delimiter, std::string& out) noexcept
      : from_(&from), out_(&out), before_(out.size()), delimiter_(delimiter) {}
  polled<result<std::size_t>> poll(context& cx) noexcept {
    for (;;) {
      auto p = step_.poll(cx, [this] { return from_->fill(); });
      if (!p) return pending;
      if (!p->has_value()) return result<std::size_t>(std::move(*p).error());
      const io::const_buffer there = **p;
      if (there.empty() || take_until(*from_, there, delimiter_, *out_))
        return result<std::size_t>(out_->size() - before_);
    }
  }

 private:
  B* from_;
  std::string* out_;
  std::size_t before_;
  char delimiter_;
  step<fill_of<B>> step_;
};

}  // namespace detail

namespace io {

/// Appends bytes to `out` up to and with the first `delimiter`, or to the end of the stream; how many, 0 at
/// the end.
///
/// Cancel safety: nothing is lost: what has been read is in `out`.
/// Lifetime: borrows both.
template <buffered_reader B>
auto read_until(B& from, char delimiter, std::string& out) noexcept {
  return eddy::detail::until_leaf<B>(from, delimiter, out);
}
/// The same up to and with a line's end, '\n'. Cancel safety, Lifetime: as `read_until`.
template <buffered_reader B>
auto read_line(B& from, std::string& out) noexcept {
  return eddy::detail::until_leaf<B>(from, '\n', out);
}

/// The pieces of a stream between delimiters: `while (auto piece = co_await pieces.next()) use(*piece);`. A
/// delimiter at the very end begins no further piece. `B` is a buffered reader by value or by reference.
///
/// Cancel safety: nothing is lost: a piece that has been read in part is kept for the next `next()`.
/// Cost: a string a piece.
template <class B>
class split_by {
  static_assert(buffered_reader<B>,
                "eddy: lines and split_by want a reader with a buffer: "
                "io::lines(io::buf_reader(std::move(stream)))");

  class [[nodiscard]] next_leaf {
   public:
    explicit next_leaf(split_by& s) noexcept : of_(&s) {}
    polled<result<std::optional<std::string>>> poll(context& cx) noexcept {
      polled<result<std::optional<std::string>>> a = pending;  // the only thing returned
      for (;;) {
        auto p = step_.poll(cx, [this] { return of_->from_.fill(); });
        if (!p) return a;
        if (!p->has_value()) {
          a.emplace(std::move(*p).error());
          return a;
        }
        const const_buffer there = **p;
        if (there.empty()) {
          if (of_->part_.empty())
            a.emplace(std::nullopt);
          else
            a.emplace(std::exchange(of_->part_, {}));
          return a;
        }
        if (of_->take(there, a)) return a;
      }
    }

   private:
    split_by* of_;
    eddy::detail::step<eddy::detail::fill_of<B>> step_;
  };

 public:
  split_by(B from, char delimiter) : from_(std::forward<B>(from)), delimiter_(delimiter) {}

  /// The next piece, without its delimiter; nothing at the end of the stream.
  next_leaf next() noexcept { return next_leaf(*this); }
  /// What it reads from.
  std::remove_reference_t<B>& inner() noexcept { return from_; }

 protected:
  split_by(B from, char delimiter, bool strip_return)
      : from_(std::forward<B>(from)), delimiter_(delimiter), strip_return_(strip_return) {}

 private:
  /// Takes what is buffered, up to and with the first delimiter; true when that was there, with the piece in `a`.
  bool take(const_buffer there, polled<result<std::optional<std::string>>>& a) {
    const auto* const begin = static_cast<const char*>(there.data());
    const auto* const end = eddy::detail::find(there, delimiter_);
    if (end == nullptr) {
      part_.append(begin, there.size());
      from_.consume(there.size());
      return false;
    }
    const auto n = static_cast<std::size_t>(end - begin);
    if (part_.empty()) {
      a.emplace(std::in_place, std::in_place, begin, end - (strips(begin, n) ? 1 : 0));
    } else {
      part_.append(begin, n);
      if (strips(part_.data(), part_.size())) part_.pop_back();
      a.emplace(std::exchange(part_, {}));
    }
    from_.consume(n + 1);
    return true;
  }
  bool strips(const char* text, std::size_t n) const noexcept {
    return strip_return_ && n != 0 && text[n - 1] == '\r';
  }

  B from_;
  std::string part_;
  char delimiter_;
  bool strip_return_ = false;
};
template <class B>
split_by(B&&, char) -> split_by<B>;

/// The lines of a stream, without their ends ("\n" or "\r\n"): `while (auto line = co_await all.next()) …`.
///
/// Cancel safety, Cost: as `split_by`.
template <class B>
class lines : public split_by<B> {
 public:
  explicit lines(B from) : split_by<B>(std::forward<B>(from), '\n', true) {}
};
template <class B>
lines(B&&) -> lines<B>;

}  // namespace io

}}  // namespace eddy::EDDY_ABI
