// The category of libuv's codes; it is here and not in base because only runtime may include
// <uv.h>.

#include <eddy/base/error.hpp>

#include <uv.h>

namespace eddy { inline namespace EDDY_ABI {

namespace {

// On POSIX libuv's code of an errno is its negative; what has no errno there lies at -3000 and
// below (name resolution, end of file). On Windows every code of libuv's lies below, and a table
// would have to stand here.
constexpr int lowest_errno = -2999;

class uv_category_type final : public std::error_category {
 public:
  const char* name() const noexcept override { return "libuv"; }

  std::string message(int code) const override {
    if (code == 0) return "no error";
    char text[256];
    return uv_strerror_r(code, text, sizeof text);
  }

  std::error_condition default_error_condition(int code) const noexcept override {
    if (code < 0 && code >= lowest_errno) return {-code, std::generic_category()};
    return {code, *this};
  }
};

// Never destroyed: a thread that outlives main may still ask.
union category_holder {
  uv_category_type category{};
  constexpr category_holder() noexcept {}
  ~category_holder() {}
};
constinit category_holder the_category;

}  // namespace

const std::error_category& uv_category() noexcept { return the_category.category; }

}}  // namespace eddy::EDDY_ABI
