#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

template <class Signature>
class function;

namespace detail {

template <class T>
inline constexpr bool is_function_v = false;
template <class Signature>
inline constexpr bool is_function_v<function<Signature>> = true;

}  // namespace detail

/// A callable of any type behind a signature: move-only, for hooks and for work handed over once.
/// 24 bytes; what fits into two pointers and moves without throwing is kept in place.
///
/// Calling an empty one is misuse and aborts with one line.
/// Threads: as safe as the callable itself.
/// Cost: one indirect call; a bigger callable is allocated once, when it is put in. Moving never
/// allocates.
template <class R, class... Args>
class [[nodiscard]] function<R(Args...)> {
  static constexpr std::size_t room = 2 * sizeof(void*);

  template <class F>
  static constexpr bool in_place =
      sizeof(F) <= room && alignof(F) <= alignof(void*) && std::is_nothrow_move_constructible_v<F>;

 public:
  function() noexcept = default;
  function(std::nullptr_t) noexcept {}

  /// Takes a callable; a null function pointer or an empty function of another signature makes an
  /// empty one.
  template <class Callable, class F = std::decay_t<Callable>>
    requires(!std::is_same_v<F, function> && !std::is_same_v<F, std::nullptr_t> &&
             std::is_invocable_r_v<R, F&, Args...> && std::is_constructible_v<F, Callable>)
  function(Callable&& callable) {
    if constexpr (std::is_pointer_v<F> || detail::is_function_v<F>) {
      if (is_null<F>(callable)) return;
    }
    if constexpr (in_place<F>)
      ::new (static_cast<void*>(place_)) F(std::forward<Callable>(callable));
    else
      ::new (static_cast<void*>(place_)) F*(new F(std::forward<Callable>(callable)));
    actions_ = &actions_of<F>;
  }

  function(function&& other) noexcept { take(other); }
  function& operator=(function&& other) noexcept {
    if (this != &other) {
      function taken(std::move(other));
      clear();
      take(taken);
    }
    return *this;
  }
  function(const function&) = delete;
  function& operator=(const function&) = delete;
  ~function() { clear(); }

  explicit operator bool() const noexcept { return actions_ != nullptr; }

  R operator()(Args... args) {
    if (!actions_) [[unlikely]]
      detail::fatal("an empty function was called");
    return actions_->call(place_, std::forward<Args>(args)...);
  }

 private:
  struct actions {
    R (*call)(void* place, Args&&... args);
    void (*move)(void* from, void* to) noexcept;  // also ends what is in `from`
    void (*destroy)(void* place) noexcept;
  };

  template <class F>
  static bool is_null(const F& callable) noexcept {
    return !static_cast<bool>(callable);
  }

  template <class F>
  static F& in(void* place) noexcept {
    if constexpr (in_place<F>)
      return *std::launder(static_cast<F*>(place));
    else
      return **std::launder(static_cast<F**>(place));
  }

  template <class F>
  static R call(void* place, Args&&... args) {
    if constexpr (std::is_void_v<R>)
      static_cast<void>(in<F>(place)(std::forward<Args>(args)...));
    else
      return in<F>(place)(std::forward<Args>(args)...);
  }

  template <class F>
  static void move(void* from, void* to) noexcept {
    if constexpr (in_place<F>) {
      ::new (to) F(std::move(in<F>(from)));
      in<F>(from).~F();
    } else {
      ::new (to) F*(*std::launder(static_cast<F**>(from)));
    }
  }

  template <class F>
  static void destroy(void* place) noexcept {
    if constexpr (in_place<F>)
      in<F>(place).~F();
    else
      delete *std::launder(static_cast<F**>(place));
  }

  template <class F>
  static constexpr actions actions_of{&call<F>, &move<F>, &destroy<F>};

  void take(function& other) noexcept {
    if (!other.actions_) return;
    other.actions_->move(other.place_, place_);
    actions_ = std::exchange(other.actions_, nullptr);
  }
  void clear() noexcept {
    // The callable may hold what owns this function: it is empty before the callable goes.
    if (const actions* old = std::exchange(actions_, nullptr)) old->destroy(place_);
  }

  alignas(void*) std::byte place_[room];
  const actions* actions_ = nullptr;
};

}}  // namespace eddy::EDDY_ABI
