#include <eddy/fs/paths.hpp>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "fs/make_job.hpp"
#include "fs/transfer.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace fs {

using eddy::detail::about_path;
using eddy::detail::about_paths;
using eddy::detail::descriptor;
using eddy::detail::make_job;
using eddy::detail::uninterrupted;

namespace {

template <class Call>
job<void> path_job(const char* operation, std::string path, Call call) {
  return make_job([operation, path = std::move(path), call] {  //
    return about_path(operation, path, call);
  });
}
template <class Call>
job<void> paths_job(const char* operation, std::string from, std::string to, Call call) {
  return make_job([operation, from = std::move(from), to = std::move(to), call] {
    return about_paths(operation, from, to, call);
  });
}

// Inside the kernel, where it can. Not: other file systems, files that have no size (/proc), old kernels; then
// nothing has been copied, and the answer is 0.
std::uint64_t copy_in_kernel([[maybe_unused]] int from, [[maybe_unused]] int to) noexcept {
  std::uint64_t copied = 0;
#ifdef __linux__
  for (;;) {
    const ::ssize_t n = uninterrupted([=]() noexcept {
      return ::copy_file_range(from, nullptr, to, nullptr, eddy::detail::most_bytes, 0);
    });
    if (n <= 0) break;
    copied += static_cast<std::uint64_t>(n);
  }
#endif
  return copied;
}

// What the kernel has not copied, which is the end alone if it has copied anything. 0 or an errno.
int copy_rest(int from, int to, std::uint64_t& copied) {
  constexpr std::size_t block = 128 * 1024;
  const std::unique_ptr<char[]> bytes(new char[block]);
  for (;;) {
    const ::ssize_t n = eddy::detail::read_some(from, bytes.get(), block);
    if (n < 0) return errno;
    if (n == 0) return 0;
    if (const int code =
            eddy::detail::write_everything(to, bytes.get(), static_cast<std::size_t>(n)))
      return code;
    copied += static_cast<std::uint64_t>(n);
  }
}

result<std::uint64_t> copy_file(const std::string& from, const std::string& to) {
  const auto failed = [&](int code) { return error::system(code, "copy", from + " to " + to); };
  if (eddy::detail::has_zero(from) || eddy::detail::has_zero(to)) return failed(EINVAL);
  const descriptor in(
      uninterrupted([&]() noexcept { return ::open(from.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (in.get() < 0) return failed(errno);
  struct stat s;
  if (::fstat(in.get(), &s) < 0) return failed(errno);
  if (S_ISDIR(s.st_mode)) return failed(EISDIR);
  // Not truncated before it is known not to be the same file.
  descriptor out(uninterrupted([&]() noexcept {
    return ::open(to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, s.st_mode & 0777);
  }));
  if (out.get() < 0) return failed(errno);
  struct stat t;
  if (::fstat(out.get(), &t) < 0) return failed(errno);
  if (s.st_dev == t.st_dev && s.st_ino == t.st_ino) return failed(EINVAL);
  if (S_ISREG(t.st_mode)) {
    if (::ftruncate(out.get(), 0) < 0) return failed(errno);
    if (::fchmod(out.get(), s.st_mode & 07777) < 0) return failed(errno);
  }
  std::uint64_t copied = S_ISREG(s.st_mode) ? copy_in_kernel(in.get(), out.get()) : 0;
  if (const int code = copy_rest(in.get(), out.get(), copied)) return failed(code);
  if (::close(out.release()) != 0 && errno != EINTR) return failed(errno);
  return copied;
}

result<std::string> resolve(const std::string& path) {
  if (eddy::detail::has_zero(path)) return error::system(EINVAL, "canonicalize", path);
  struct give_back {
    char* text;
    ~give_back() { ::free(text); }
  } const found{::realpath(path.c_str(), nullptr)};
  if (found.text == nullptr) return error::system(errno, "canonicalize", path);
  return std::string(found.text);
}

result<std::string> link_text(const std::string& path) {
  if (eddy::detail::has_zero(path)) return error::system(EINVAL, "read_link", path);
  // One byte of room left over: it is all there.
  std::string text(256, '\0');
  for (;;) {
    const ::ssize_t n = ::readlink(path.c_str(), text.data(), text.size());
    if (n < 0) return error::system(errno, "read_link", path);
    if (static_cast<std::size_t>(n) < text.size()) {
      text.resize(static_cast<std::size_t>(n));
      return text;
    }
    text.resize(text.size() * 2);
  }
}

}  // namespace

job<void> rename(std::string from, std::string to) {
  return paths_job("rename", std::move(from), std::move(to),
                   [](const char* a, const char* b) noexcept { return ::rename(a, b); });
}
job<void> hard_link(std::string original, std::string link) {
  // Of a symbolic link, not of what it stands for; link(2) leaves that to the system.
  return paths_job(
      "hard_link", std::move(original), std::move(link),
      [](const char* a, const char* b) noexcept { return ::linkat(AT_FDCWD, a, AT_FDCWD, b, 0); });
}
job<void> symlink(std::string original, std::string link) {
  return paths_job("symlink", std::move(original), std::move(link),
                   [](const char* a, const char* b) noexcept { return ::symlink(a, b); });
}
job<void> remove_file(std::string path) {
  return path_job("remove_file", std::move(path),
                  [](const char* p) noexcept { return ::unlink(p); });
}
job<std::uint64_t> copy(std::string from, std::string to) {
  return make_job([from = std::move(from), to = std::move(to)] { return copy_file(from, to); });
}
job<std::string> canonicalize(std::string path) {
  return make_job([path = std::move(path)] { return resolve(path); });
}
job<std::string> read_link(std::string path) {
  return make_job([path = std::move(path)] { return link_text(path); });
}

}}}  // namespace eddy::EDDY_ABI::fs
