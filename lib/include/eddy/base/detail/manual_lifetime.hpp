#pragma once

#include <memory>
#include <utility>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// Room for a `T` whose lifetime is the owner's business: it starts with `construct`, ends with `destroy`, and
/// nothing records whether it runs.
template <class T>
class manual_lifetime {
 public:
  manual_lifetime() noexcept {}
  manual_lifetime(const manual_lifetime&) = delete;
  manual_lifetime& operator=(const manual_lifetime&) = delete;
  ~manual_lifetime() {}

  template <class... A>
  T& construct(A&&... args) noexcept(noexcept(T(std::forward<A>(args)...))) {
    return *::new (static_cast<void*>(std::addressof(value_))) T(std::forward<A>(args)...);
  }
  void destroy() noexcept { std::destroy_at(std::addressof(value_)); }
  T& get() noexcept { return value_; }
  const T& get() const noexcept { return value_; }

 private:
  union {
    T value_;
  };
};

}}}  // namespace eddy::EDDY_ABI::detail
