#include <eddy/fs/metadata.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif

#include <cerrno>
#include <utility>

#include "fs/make_job.hpp"
#include "fs/stat.hpp"

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

namespace {

fs::file_time time_of(std::int64_t seconds, std::int64_t nanoseconds) noexcept {
  return fs::file_time(std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds));
}

}  // namespace

fs::file_kind kind_of_mode(std::uint32_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return fs::file_kind::regular;
    case S_IFDIR:
      return fs::file_kind::directory;
    case S_IFLNK:
      return fs::file_kind::symlink;
    case S_IFIFO:
      return fs::file_kind::fifo;
    case S_IFSOCK:
      return fs::file_kind::socket;
    case S_IFBLK:
      return fs::file_kind::block_device;
    case S_IFCHR:
      return fs::file_kind::character_device;
    default:
      return fs::file_kind::unknown;
  }
}

struct metadata_access {
#ifdef STATX_BTIME
  // The one call that tells when a file was made.
  static int look(int at, const char* path, int flags, fs::file_metadata& to) noexcept {
    struct statx s;
    constexpr unsigned wanted = STATX_BASIC_STATS | STATX_BTIME;
    if (uninterrupted([&] { return ::statx(at, path, flags, wanted, &s); }) < 0) return errno;
    const auto time = [](const statx_timestamp& t) { return time_of(t.tv_sec, t.tv_nsec); };
    to.mode_ = s.stx_mode;
    to.uid_ = s.stx_uid;
    to.gid_ = s.stx_gid;
    to.size_ = s.stx_size;
    to.blocks_ = s.stx_blocks;
    to.device_ = ::makedev(s.stx_dev_major, s.stx_dev_minor);
    to.inode_ = s.stx_ino;
    to.links_ = s.stx_nlink;
    to.modified_ = time(s.stx_mtime);
    to.accessed_ = time(s.stx_atime);
    to.changed_ = time(s.stx_ctime);
    if ((s.stx_mask & STATX_BTIME) != 0) to.created_ = time(s.stx_btime);
    to.kind_ = kind_of_mode(to.mode_);
    return 0;
  }
  static int look_at(const char* path, bool follow, fs::file_metadata& to) noexcept {
    return look(AT_FDCWD, path, follow ? 0 : AT_SYMLINK_NOFOLLOW, to);
  }
  static int look_into(int fd, fs::file_metadata& to) noexcept {
    return look(fd, "", AT_EMPTY_PATH, to);
  }
#else
  static void take(const struct stat& s, fs::file_metadata& to) noexcept {
    to.mode_ = s.st_mode;
    to.uid_ = s.st_uid;
    to.gid_ = s.st_gid;
    to.size_ = static_cast<std::uint64_t>(s.st_size);
    to.blocks_ = static_cast<std::uint64_t>(s.st_blocks);
    to.device_ = static_cast<std::uint64_t>(s.st_dev);
    to.inode_ = s.st_ino;
    to.links_ = s.st_nlink;
#ifdef __APPLE__
    to.modified_ = time_of(s.st_mtimespec.tv_sec, s.st_mtimespec.tv_nsec);
    to.accessed_ = time_of(s.st_atimespec.tv_sec, s.st_atimespec.tv_nsec);
    to.changed_ = time_of(s.st_ctimespec.tv_sec, s.st_ctimespec.tv_nsec);
    to.created_ = time_of(s.st_birthtimespec.tv_sec, s.st_birthtimespec.tv_nsec);
#else
    to.modified_ = time_of(s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
    to.accessed_ = time_of(s.st_atim.tv_sec, s.st_atim.tv_nsec);
    to.changed_ = time_of(s.st_ctim.tv_sec, s.st_ctim.tv_nsec);
#endif
    to.kind_ = kind_of_mode(to.mode_);
  }
  static int look_at(const char* path, bool follow, fs::file_metadata& to) noexcept {
    struct stat s;
    const int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
    if (uninterrupted([&] { return ::fstatat(AT_FDCWD, path, &s, flags); }) < 0) return errno;
    take(s, to);
    return 0;
  }
  static int look_into(int fd, fs::file_metadata& to) noexcept {
    struct stat s;
    if (uninterrupted([&] { return ::fstat(fd, &s); }) < 0) return errno;
    take(s, to);
    return 0;
  }
#endif
};

int stat_path(const char* path, bool follow, fs::file_metadata& to) noexcept {
  return metadata_access::look_at(path, follow, to);
}
int stat_descriptor(int fd, fs::file_metadata& to) noexcept {
  return metadata_access::look_into(fd, to);
}

}  // namespace detail

namespace fs {

namespace {

job<file_metadata> look(const char* operation, std::string path, bool follow) {
  return eddy::detail::make_job(
      [operation, path = std::move(path), follow]() -> result<file_metadata> {
        if (eddy::detail::has_zero(path)) return error::system(EINVAL, operation, path);
        file_metadata found;
        const int code = eddy::detail::stat_path(path.c_str(), follow, found);
        if (code != 0) return error::system(code, operation, path);
        return found;
      });
}

}  // namespace

job<file_metadata> metadata(std::string path) { return look("metadata", std::move(path), true); }
job<file_metadata> symlink_metadata(std::string path) {
  return look("symlink_metadata", std::move(path), false);
}

job<void> set_permissions(std::string path, permissions to) {
  return eddy::detail::make_job([path = std::move(path), to] {
    return eddy::detail::about_path("set_permissions", path, [to](const char* p) noexcept {
      return ::chmod(p, static_cast<::mode_t>(to.mode()));
    });
  });
}

job<bool> try_exists(std::string path) {
  return eddy::detail::make_job([path = std::move(path)]() -> result<bool> {
    auto found = eddy::detail::about_path("try_exists", path, [](const char* p) noexcept {
      struct stat s;
      return ::stat(p, &s);
    });
    if (found) return true;
    if (found.error() == std::errc::no_such_file_or_directory) return false;
    return std::move(found).error();
  });
}

}  // namespace fs

}}  // namespace eddy::EDDY_ABI
