#include <eddy/fs/temp.hpp>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "fs/make_job.hpp"
#include "fs/remove_tree.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace fs {

struct made_temporary {
  static std::string place() {
    const char* const named = ::getenv("TMPDIR");
    return named != nullptr && *named != '\0' ? named : "/tmp";
  }
  static std::string pattern(const std::string& parent) { return parent + "/eddy-XXXXXX"; }

  static result<temp_dir> dir(const std::string& parent) {
    if (eddy::detail::has_zero(parent)) return error::system(EINVAL, "temp_dir", parent);
    std::string path = pattern(parent);
    if (::mkdtemp(path.data()) == nullptr) return error::system(errno, "temp_dir", path);
    return temp_dir(std::move(path));
  }
  static result<temp_file> file(const std::string& parent) {
    if (eddy::detail::has_zero(parent)) return error::system(EINVAL, "temp_file", parent);
    std::string path = pattern(parent);
    const int fd = ::mkostemp(path.data(), O_CLOEXEC);
    if (fd < 0) return error::system(errno, "temp_file", path);
    return temp_file(path, fs::file::from_descriptor(fd, path));
  }
};

job<temp_dir> temp_dir::create() { return create(made_temporary::place()); }
job<temp_dir> temp_dir::create(std::string parent) {
  return eddy::detail::make_job([p = std::move(parent)] { return made_temporary::dir(p); });
}
temp_dir::~temp_dir() {
  if (path_.empty()) return;
  std::string at = path_;
  eddy::detail::remove_tree(AT_FDCWD, path_.c_str(), at);
}
job<void> temp_dir::remove() && {
  // A job that is never begun removes it too, as it goes.
  return eddy::detail::make_job([held = std::move(*this)]() mutable -> result<void> {
    std::string at = std::move(held).keep();
    const std::string path = at;
    const int code = eddy::detail::remove_tree(AT_FDCWD, path.c_str(), at);
    if (code != 0) return error::system(code, "temp_dir::remove", at);
    return {};
  });
}

job<temp_file> temp_file::create() { return create(made_temporary::place()); }
job<temp_file> temp_file::create(std::string directory) {
  return eddy::detail::make_job([d = std::move(directory)] { return made_temporary::file(d); });
}
temp_file::~temp_file() {
  if (!path_.empty()) ::unlink(path_.c_str());
}
job<void> temp_file::persist(std::string path) && {
  return eddy::detail::make_job([held = std::move(*this), to = std::move(path)]() mutable {
    auto done = eddy::detail::about_paths(
        "persist", held.path_, to,
        [](const char* a, const char* b) noexcept { return ::rename(a, b); });
    if (done) held.path_.clear();
    return done;
  });
}

}}}  // namespace eddy::EDDY_ABI::fs
