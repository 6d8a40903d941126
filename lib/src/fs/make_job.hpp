#pragma once
// Functions as jobs, and what the functions have in common. Plain POSIX calls: libuv's synchronous uv_fs_* would
// make the same ones behind a request of 440 bytes and a second copy of the path, and give less (no openat, no
// O_NOFOLLOW walk, no copy_file_range with the rest read and written).

#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <eddy/base/detail/descriptor.hpp>
#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/fs/job.hpp>

#include "base/has_zero.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

template <class T, class F>
class function_job final : public job_block<T> {
 public:
  explicit function_job(F f) : function_(std::move(f)) {}

 private:
  void run() noexcept override {
#if EDDY_EXCEPTIONS
    try {
#endif
      this->outcome = function_();
#if EDDY_EXCEPTIONS
    } catch (...) {
      this->outcome = unexpected(error::current_exception());
    }
#endif
  }

  F function_;
};

/// `f`, which returns a result<T>, as a job.
template <class F>
auto make_job(F f) {
  using T = typename std::invoke_result_t<F&>::value_type;
  return fs::job<T>(new function_job<T, F>(std::move(f)));
}

/// `call()` again while a signal has interrupted it.
template <class Call>
auto uninterrupted(Call call) noexcept {
  for (;;) {
    const auto r = call();
    if (r >= 0 || errno != EINTR) return r;
  }
}

/// A system call about a path, which answers -1 and errno.
template <class Call>
result<void> about_path(const char* operation, const std::string& path, Call call) {
  if (has_zero(path)) return error::system(EINVAL, operation, path);
  if (uninterrupted([&] { return call(path.c_str()); }) < 0)
    return error::system(errno, operation, path);
  return {};
}

/// The same about two.
template <class Call>
result<void> about_paths(const char* operation, const std::string& from, const std::string& to,
                         Call call) {
  const auto failed = [&](int code) { return error::system(code, operation, from + " to " + to); };
  if (has_zero(from) || has_zero(to)) return failed(EINVAL);
  if (uninterrupted([&] { return call(from.c_str(), to.c_str()); }) < 0) return failed(errno);
  return {};
}

}}}  // namespace eddy::EDDY_ABI::detail
