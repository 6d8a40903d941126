#include "fs/file_job.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <eddy/fs/file.hpp>

#include "fs/stat.hpp"
#include "fs/transfer.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

int whence_of(int from) noexcept {
  switch (static_cast<fs::seek_from>(from)) {
    case fs::seek_from::current:
      return SEEK_CUR;
    case fs::seek_from::end:
      return SEEK_END;
    default:
      return SEEK_SET;
  }
}

int code_of(int answer) noexcept { return answer < 0 ? errno : 0; }

int sync_data(int fd) noexcept {
#if defined(__APPLE__)
  return ::fsync(fd);
#else
  return ::fdatasync(fd);
#endif
}

}  // namespace

void file_job::run() noexcept {
  const int fd = open_->fd.get();
  // What cannot be sought in has no place that would be wrong.
  if (back != 0 && ::lseek(fd, -static_cast<::off_t>(back), SEEK_CUR) < 0 && errno != ESPIPE)
    code = errno;
  else
    code = act(fd);
  open_.reset();
}

int file_job::act(int fd) noexcept {
  ::ssize_t n = 0;
  switch (what) {
    case file_action::read:
      n = read_some(fd, buffer.bytes.get(), static_cast<std::size_t>(value));
      break;
    case file_action::read_at:
      n = read_at(fd, buffer.bytes.get(), buffer.capacity, value);
      break;
    case file_action::write:
      return write_everything(fd, buffer.bytes.get(), buffer.end);
    case file_action::write_at:
      return write_everything_at(fd, buffer.bytes.get(), buffer.end, value);
    case file_action::seek:
      value = ::lseek(fd, static_cast<::off_t>(value), whence_of(b_));
      return value < 0 ? errno : 0;
    case file_action::set_len:
      return code_of(
          uninterrupted([&]() noexcept { return ::ftruncate(fd, static_cast<::off_t>(value)); }));
    case file_action::sync_all:
      return code_of(uninterrupted([=]() noexcept { return ::fsync(fd); }));
    case file_action::sync_data:
      return code_of(uninterrupted([=]() noexcept { return sync_data(fd); }));
    case file_action::metadata:
      return stat_descriptor(fd, metadata);
    case file_action::set_permissions:
      return code_of(
          uninterrupted([&]() noexcept { return ::fchmod(fd, static_cast<::mode_t>(value)); }));
    default:
      return EINVAL;
  }
  if (n < 0) return errno;
  buffer.end = static_cast<std::size_t>(n);
  return 0;
}

}}}  // namespace eddy::EDDY_ABI::detail
