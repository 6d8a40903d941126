#include <eddy/fs/directory.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "fs/make_job.hpp"
#include "fs/remove_tree.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace fs {

using eddy::detail::about_path;
using eddy::detail::make_job;

namespace {

int make_dir(const std::string& path, std::uint32_t mode) noexcept {
  return ::mkdir(path.c_str(), static_cast<::mode_t>(mode)) == 0 ? 0 : errno;
}

// From the whole path up to what is there, and down again.
int make_dirs(const std::string& path, std::uint32_t mode) {
  const auto is_dir = [](const std::string& p) {
    struct stat s;
    return ::stat(p.c_str(), &s) == 0 && S_ISDIR(s.st_mode);
  };
  std::size_t end = path.size();
  while (end > 1 && path[end - 1] == '/') --end;
  for (std::size_t at = end;;) {
    const int code = make_dir(path.substr(0, at), mode);
    if (code == 0 || (code != ENOENT && is_dir(path.substr(0, at)))) {
      if (at == end) return 0;
      at = path.find('/', path.find_first_not_of('/', at));
      if (at == std::string::npos || at > end) at = end;
      continue;
    }
    if (code != ENOENT) return code;
    at = path.find_last_of('/', at - 1);
    while (at != std::string::npos && at > 1 && path[at - 1] == '/') --at;
    if (at == std::string::npos || at == 0) return code;
  }
}

}  // namespace

job<void> dir_builder::create(std::string path) const {
  return make_job([path = std::move(path), how = *this]() -> result<void> {
    const auto failed = [&](int code) { return error::system(code, "create_dir", path); };
    if (eddy::detail::has_zero(path)) return failed(EINVAL);
    const int code = how.recursive_ ? make_dirs(path, how.mode_) : make_dir(path, how.mode_);
    if (code != 0) return failed(code);
    return {};
  });
}
job<void> create_dir(std::string path) { return dir_builder().create(std::move(path)); }
job<void> create_dir_all(std::string path) {
  return dir_builder().recursive(true).create(std::move(path));
}

job<void> remove_dir(std::string path) {
  return make_job([path = std::move(path)] {
    return about_path("remove_dir", path, [](const char* p) noexcept { return ::rmdir(p); });
  });
}

job<void> remove_dir_all(std::string path) {
  return make_job([path = std::move(path)]() -> result<void> {
    if (eddy::detail::has_zero(path)) return error::system(EINVAL, "remove_dir_all", path);
    // With a slash behind it a link would be followed.
    std::string at = path;
    while (at.size() > 1 && at.back() == '/') at.pop_back();
    const std::string whole = at;
    const int code = eddy::detail::remove_tree(AT_FDCWD, whole.c_str(), at);
    if (code != 0) return error::system(code, "remove_dir_all", at);
    return {};
  });
}

}}}  // namespace eddy::EDDY_ABI::fs
