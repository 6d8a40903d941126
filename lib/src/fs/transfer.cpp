#include "fs/transfer.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "fs/make_job.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

// A call that takes no byte, and says that it is none's fault, would be made for ever.
template <class Write>
int write_with(const void* from, std::size_t size, Write write) noexcept {
  const auto* at = static_cast<const char*>(from);
  while (size != 0) {
    const ::ssize_t n = uninterrupted([&] { return write(at, std::min(size, most_bytes)); });
    if (n < 0) return errno;
    if (n == 0) return EIO;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return 0;
}

}  // namespace

::ssize_t read_some(int fd, void* to, std::size_t size) noexcept {
  return uninterrupted([=]() noexcept { return ::read(fd, to, std::min(size, most_bytes)); });
}

int write_everything(int fd, const void* from, std::size_t size) noexcept {
  return write_with(from, size,
                    [fd](const char* at, std::size_t n) noexcept { return ::write(fd, at, n); });
}

int write_everything_at(int fd, const void* from, std::size_t size, std::int64_t offset) noexcept {
  return write_with(from, size, [fd, &offset](const char* at, std::size_t n) noexcept {
    const ::ssize_t wrote = ::pwrite(fd, at, n, static_cast<::off_t>(offset));
    if (wrote > 0) offset += wrote;
    return wrote;
  });
}

::ssize_t read_at(int fd, void* to, std::size_t size, std::int64_t offset) noexcept {
  auto* const at = static_cast<char*>(to);
  std::size_t done = 0;
  while (done != size) {
    const ::ssize_t n = uninterrupted([&] {
      return ::pread(fd, at + done, std::min(size - done, most_bytes),
                     static_cast<::off_t>(offset + static_cast<std::int64_t>(done)));
    });
    if (n < 0 && done == 0) return -1;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  return static_cast<::ssize_t>(done);
}

}}}  // namespace eddy::EDDY_ABI::detail
