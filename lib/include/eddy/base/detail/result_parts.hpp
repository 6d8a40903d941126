#pragma once

#include <new>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Throws what this error stands for: `e.raise()` where the type has it, else the error itself.
/// Without exceptions a type that has no raise() aborts.
template <class E>
[[noreturn]] void raise(E&& e) {
  if constexpr (requires { e.raise(); }) {
    e.raise();
  } else {
#if EDDY_EXCEPTIONS
    throw std::forward<E>(e);
#else
    fatal("unhandled error");
#endif
  }
}

/// Makes a part of a result's union.
template <class Part, class... Args>
void make_part(Part* place,
               Args&&... args) noexcept(std::is_nothrow_constructible_v<Part, Args...>) {
  ::new (const_cast<void*>(static_cast<const void*>(place))) Part(std::forward<Args>(args)...);
}

/// Puts a new part where an old one is. Whichever step may throw is done while the old part can
/// still be kept.
template <class New, class Old, class... Args>
constexpr void replace_part(New* made, Old* gone, Args&&... args) {
  if constexpr (std::is_nothrow_constructible_v<New, Args...>) {
    gone->~Old();
    make_part(made, std::forward<Args>(args)...);
  } else if constexpr (std::is_nothrow_move_constructible_v<New>) {
    New temporary(std::forward<Args>(args)...);
    gone->~Old();
    make_part(made, std::move(temporary));
  } else {
    static_assert(std::is_nothrow_move_constructible_v<Old>,
                  "eddy: one part of a result must move without throwing");
    struct keeper {
      Old kept;
      Old* home;
      constexpr ~keeper() {
        if (home) make_part(home, std::move(kept));
      }
    } keep{std::move(*gone), gone};
    gone->~Old();
    make_part(made, std::forward<Args>(args)...);
    keep.home = nullptr;
  }
}

}}}  // namespace eddy::EDDY_ABI::detail
