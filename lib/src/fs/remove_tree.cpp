#include "fs/remove_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "fs/make_job.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

// By descriptors and names in them, so that nobody can put a link where a directory was.
int remove_tree(int parent, const char* name, std::string& path) {
  descriptor fd(uninterrupted([=]() noexcept {
    return ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }));
  if (fd.get() < 0) return errno;
  struct close_at_end {
    ::DIR* names;
    ~close_at_end() {
      if (names != nullptr) ::closedir(names);
    }
  } const dir{::fdopendir(fd.get())};
  if (dir.names == nullptr) return errno;
  const int here = fd.release();
  const std::size_t length = path.size();
  for (;;) {
    errno = 0;
    const ::dirent* const e = ::readdir(dir.names);
    if (e == nullptr && errno != 0) return errno;
    if (e == nullptr) break;
    const std::string inner = e->d_name;
    if (inner == "." || inner == "..") continue;
    path += '/';
    path += inner;
    // Linux says EISDIR of a directory, POSIX EPERM; whoever has removed it first has done our work.
    int code = ::unlinkat(here, inner.c_str(), 0) == 0 ? 0 : errno;
    if (code == EISDIR || code == EPERM) {
      const int why = code;
      code = remove_tree(here, inner.c_str(), path);
      if (code == ENOTDIR || code == ELOOP) code = why;
    }
    if (code != 0 && code != ENOENT) return code;
    path.resize(length);
  }
  return ::unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}

}}}  // namespace eddy::EDDY_ABI::detail
