#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/base/error.hpp>
#include <eddy/config.hpp>
#include <eddy/runtime/detail/random.hpp>
#include <eddy/stream/stream.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// Streams of one type by their keys, merged into one stream of pairs (key, value). A stream that ends is
/// destroyed and leaves the map; an empty map is at its end, until another is inserted.
/// `while (auto v = co_await map.next()) handle(v->first, v->second);`
///
/// Which of several that are ready comes first is drawn anew at each poll, from the runtime's seeded generator.
/// Streams may be inserted and removed whenever nobody awaits `next()`.
/// Cancel safety: dropping an await of `next()` or `next_many()` loses nothing.
/// Errors: what one of the streams fails with comes out of `next()`; the map and that stream go on.
/// Cost: a block a stream; a poll asks every stream, and finding a key looks at every key: for some dozens of
/// streams, not for thousands.
template <class K, stream S>
class [[nodiscard]] stream_map : public stream_base<stream_map<K, S>> {
  using T = stream_value<S>;

  class [[nodiscard]] many_leaf {
   public:
    many_leaf(stream_map& m, std::vector<std::pair<K, T>>& to, std::size_t most) noexcept
        : map_(&m), to_(&to), most_(most) {}
    polled<result<std::size_t>> poll(context& cx) noexcept {
      return map_->poll_next_many(cx, *to_, most_);
    }

   private:
    stream_map* map_;
    std::vector<std::pair<K, T>>* to_;
    std::size_t most_;
  };

 public:
  using value_type = std::pair<K, T>;

  /// Adds a stream; the one that had this key before comes back.
  std::optional<S> insert(K key, S s) {
    auto before = remove(key);
    entries_.push_back(std::make_unique<entry>(std::move(key), std::move(s)));
    return before;
  }
  /// Takes a stream out, if it is there.
  template <class Q>
  std::optional<S> remove(const Q& key) {
    std::optional<S> gone;
    const auto at = position(key);
    if (at == entries_.end()) return gone;
    gone.emplace(std::move((*at)->source));
    entries_.erase(at);
    return gone;
  }
  /// The stream of that key, where it is, or null.
  template <class Q>
  S* find(const Q& key) noexcept {
    const auto at = position(key);
    return at == entries_.end() ? nullptr : &(*at)->source;
  }
  /// True when there is a stream of that key.
  template <class Q>
  bool contains(const Q& key) const noexcept {
    return std::ranges::any_of(entries_, [&](auto& e) { return e->key == key; });
  }
  /// Calls `f(key, stream)` for all, in the order in which they were inserted.
  template <class F>
  void for_each(F f) {
    for (auto& e : entries_) f(std::as_const(e->key), e->source);
  }
  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  /// Streams for which there is memory.
  std::size_t capacity() const noexcept { return entries_.capacity(); }
  void reserve(std::size_t n) { entries_.reserve(n); }
  void clear() noexcept { entries_.clear(); }
  bool is_terminated() const noexcept { return empty() && !failed_; }

  detail::next_polled<value_type> poll_next(context& cx) noexcept {
    detail::next_polled<value_type> out(pending);
    if (failed_) {
      detail::fail<value_type>(out, *std::exchange(failed_, std::nullopt));
    } else if (empty()) {
      detail::finish<value_type>(out);
    } else {
      ask_each(cx, any_place(cx), [&](entry& e, detail::next_result<T>& r) {
        detail::catching<value_type>(out, [&] {
          if (r.has_value())
            detail::give<value_type>(out, std::as_const(e.key), **std::move(r));
          else
            detail::fail<value_type>(out, std::move(r).error());
        });
        return false;
      });
      if (!out && empty()) detail::finish<value_type>(out);
    }
    return out;
  }

  /// Appends what there is to `buffer`, up to `most` values, and waits if there is none. How many they were; 0
  /// only for a `most` of 0 and from an empty map.
  /// Cancel safety: nothing is lost.
  /// Lifetime: borrows the map and the buffer.
  /// Errors: a failure comes behind the values that came before it, from the next call.
  auto next_many(std::vector<value_type>& buffer, std::size_t most) noexcept {
    return many_leaf(*this, buffer, most);
  }
  /// The poll of `next_many`.
  polled<result<std::size_t>> poll_next_many(context& cx, std::vector<value_type>& buffer,
                                             std::size_t most) noexcept {
    std::size_t added = 0;
    const auto start = most != 0 ? any_place(cx) : 0;
    for (bool more = most != 0; more && !failed_ && !empty();) {
      more = false;
      ask_each(cx, start, [&](entry& e, detail::next_result<T>& r) {
        more = keep(buffer, e, r) && ++added < most;
        return more;
      });
      if (added == most) break;
    }
    if (added != 0 || most == 0) return result<std::size_t>(added);
    if (failed_) return result<std::size_t>(unexpect, *std::exchange(failed_, std::nullopt));
    if (empty()) return result<std::size_t>(std::size_t{0});
    return pending;
  }

 private:
  struct entry {
    entry(K&& k, S&& s) : key(std::move(k)), source(std::move(s)) {}
    K key;
    S source;
  };

  template <class Q>
  auto position(const Q& key) noexcept {
    return std::ranges::find_if(entries_, [&](auto& e) { return e->key == key; });
  }
  std::size_t any_place(context& cx) const noexcept {
    return empty() ? 0 : detail::draw(cx, static_cast<std::uint32_t>(size()));
  }

  /// Asks each stream once, from a place on, until `f(entry, answer)` says that it is enough. Those that have
  /// ended go.
  template <class F>
  void ask_each(context& cx, std::size_t start, F f) noexcept {
    const auto n = size();
    bool gone = false;
    for (std::size_t i = 0; i < n; ++i) {
      auto& e = entries_[(start + i) % n];
      auto p = detail::poll_stream(e->source, cx);
      if (!p) continue;
      if (detail::is_end<T>(p)) {
        e.reset();
        gone = true;
      } else if (!f(*e, *p)) {
        break;
      }
    }
    if (gone) std::erase(entries_, nullptr);
  }

  /// False: it is a failure, and kept.
  bool keep(std::vector<value_type>& buffer, entry& e, detail::next_result<T>& r) noexcept {
    if (!r.has_value()) {
      failed_ = std::move(r).error();
      return false;
    }
#if EDDY_EXCEPTIONS
    try {
#endif
      buffer.emplace_back(std::as_const(e.key), **std::move(r));
#if EDDY_EXCEPTIONS
    } catch (...) {
      failed_ = error::current_exception();
    }
#endif
    return !failed_;
  }

  std::vector<std::unique_ptr<entry>> entries_;
  std::optional<error> failed_;  // of next_many, for the next poll
};

}}  // namespace eddy::EDDY_ABI
