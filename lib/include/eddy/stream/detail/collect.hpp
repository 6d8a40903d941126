#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/config.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Adds a value to whatever container, as that container does it.
template <class C, class T>
void add_to(C& all, T&& v) {
  if constexpr (requires { all.push_back(std::forward<T>(v)); })
    all.push_back(std::forward<T>(v));
  else if constexpr (requires { all.insert(std::forward<T>(v)); })
    all.insert(std::forward<T>(v));
  else if constexpr (requires { all.push(std::forward<T>(v)); })
    all.push(std::forward<T>(v));
  else
    all += std::forward<T>(v);  // a string of strings
}

template <class S, class C>
class [[nodiscard]] collect_operation {
  using T = stream_value<S>;
  using container = std::conditional_t<std::is_void_v<C>, std::vector<T>, C>;
  using answer = result<container>;

 public:
  explicit collect_operation(S&& s) : stream_(std::move(s)) {}
  polled<answer> poll(context& cx) noexcept {
    return or_failed_move<container, error>([&]() -> polled<answer> {
      for (;;) {
        auto p = poll_stream(stream_, cx);
        if (!p) return pending;
        if (!p->has_value()) return answer(unexpect, std::move(*p).error());
        if (!**p) return answer(std::in_place, std::move(all_));
        add_to(all_, *std::move(**p));
      }
    });
  }

 private:
  S stream_;
  container all_{};
};

}}}  // namespace eddy::EDDY_ABI::detail
