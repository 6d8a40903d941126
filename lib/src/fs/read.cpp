#include <eddy/fs/read.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "fs/make_job.hpp"
#include "fs/transfer.hpp"

namespace eddy { inline namespace EDDY_ABI {

namespace fs {

using eddy::detail::descriptor;
using eddy::detail::make_job;
using eddy::detail::uninterrupted;

namespace {

// One byte more than the file has: a read that comes back short has seen its end, and no other read is needed to
// find it. Only a regular file's short read says so.
template <class C>
result<C> read_whole(const std::string& path) {
  const auto failed = [&path](int code) { return error::system(code, "read", path); };
  if (eddy::detail::has_zero(path)) return failed(EINVAL);
  const descriptor fd(
      uninterrupted([&]() noexcept { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (fd.get() < 0) return failed(errno);
  struct stat s;
  if (::fstat(fd.get(), &s) < 0) return failed(errno);
  const bool sized = S_ISREG(s.st_mode) && s.st_size > 0;
  constexpr std::size_t some = 4096;

  C all(sized ? static_cast<std::size_t>(s.st_size) + 1 : some, typename C::value_type());
  std::size_t filled = 0;
  for (;;) {
    if (filled == all.size()) all.resize(all.size() * 2);
    const std::size_t room = all.size() - filled;
    const ::ssize_t n = eddy::detail::read_some(fd.get(), all.data() + filled, room);
    if (n < 0) return failed(errno);
    filled += static_cast<std::size_t>(n);
    if (n == 0 || (sized && static_cast<std::size_t>(n) < std::min(room, eddy::detail::most_bytes)))
      break;
  }
  all.resize(filled);
  return all;
}

template <class Bytes>
job<void> write_whole(std::string path, Bytes bytes) {
  return make_job([path = std::move(path), bytes = std::move(bytes)]() -> result<void> {
    const auto failed = [&path](int code) { return error::system(code, "write", path); };
    if (eddy::detail::has_zero(path)) return failed(EINVAL);
    descriptor fd(uninterrupted([&]() noexcept {
      return ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }));
    if (fd.get() < 0) return failed(errno);
    if (const int code = eddy::detail::write_everything(fd.get(), bytes.data(), bytes.size()))
      return failed(code);
    // A quota or a network's disk may be found full only now.
    if (::close(fd.release()) != 0 && errno != EINTR) return failed(errno);
    return {};
  });
}

}  // namespace

job<std::vector<std::byte>> read(std::string path) {
  return make_job([path = std::move(path)] { return read_whole<std::vector<std::byte>>(path); });
}
job<std::string> read_to_string(std::string path) {
  return make_job([path = std::move(path)] { return read_whole<std::string>(path); });
}
job<void> write(std::string path, io::const_buffer bytes) {
  return write_whole(std::move(path),
                     std::string(static_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace fs

fs::job<void> detail::write_string(std::string path, std::string bytes) {
  return fs::write_whole(std::move(path), std::move(bytes));
}

}}  // namespace eddy::EDDY_ABI
