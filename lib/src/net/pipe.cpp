#include <eddy/net/pipe.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include <eddy/base/detail/descriptor.hpp>
#include <eddy/base/error.hpp>

#include "base/has_zero.hpp"
#include "base/make_pipe.hpp"
#include "net/socket.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace net {

using eddy::detail::descriptor;
using eddy::detail::make_pipe;
using eddy::detail::pipe_kind;
using eddy::detail::registration;

namespace {

bool is_pipe(int fd) noexcept {
  struct ::stat what;
  return ::fstat(fd, &what) == 0 && S_ISFIFO(what.st_mode);
}

// `mode` is one of O_RDONLY, O_WRONLY and O_RDWR.
result<descriptor> open_fifo(std::string_view path, int mode) {
  const std::string name(path);
  if (eddy::detail::has_zero(path)) return error::system(EINVAL, "open", path);
  int fd = 0;
  do fd = ::open(name.c_str(), mode | O_NONBLOCK | O_CLOEXEC);
  while (fd < 0 && errno == EINTR);
  descriptor opened(fd);
  if (fd < 0) return error::system(errno, "open", path);
  if (!is_pipe(fd)) return error::system(EINVAL, "open", path);
  return opened;
}

// `unwanted` is the only mode that does not do.
result<registration> adopt_pipe(int fd, int unwanted) noexcept {
  descriptor taken(fd);
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) {
    taken.release();
    return error::system(errno, "adopt");
  }
  if (!is_pipe(fd) || (flags & O_ACCMODE) == unwanted) return error::system(EINVAL, "adopt");
  return registration::adopt(taken.release(), "adopt");
}

}  // namespace

result<pipe_receiver> pipe_receiver::open(std::string_view path) {
  auto opened = open_fifo(path, O_RDONLY);
  if (!opened) return std::move(opened).error();
  return adopt(opened->release());
}

result<pipe_receiver> pipe_receiver::open_read_write(std::string_view path) {
  auto opened = open_fifo(path, O_RDWR);
  if (!opened) return std::move(opened).error();
  return adopt(opened->release());
}

result<pipe_receiver> pipe_receiver::adopt(int fd) noexcept {
  auto made = adopt_pipe(fd, O_WRONLY);
  if (!made) return std::move(made).error();
  return pipe_receiver(std::move(*made));
}

result<pipe_sender> pipe_sender::open(std::string_view path) {
  auto opened = open_fifo(path, O_WRONLY);
  if (!opened) return std::move(opened).error();
  return adopt(opened->release());
}

result<pipe_sender> pipe_sender::open_read_write(std::string_view path) {
  auto opened = open_fifo(path, O_RDWR);
  if (!opened) return std::move(opened).error();
  return adopt(opened->release());
}

result<pipe_sender> pipe_sender::adopt(int fd) noexcept {
  auto made = adopt_pipe(fd, O_RDONLY);
  if (!made) return std::move(made).error();
  return pipe_sender(std::move(*made));
}

result<pipe_ends> pipe() noexcept {
  int fds[2];
  if (!make_pipe(fds, pipe_kind::non_blocking)) return error::system(errno, "pipe");
  descriptor second(fds[1]);
  auto receiver = pipe_receiver::adopt(fds[0]);
  if (!receiver) return std::move(receiver).error();
  auto sender = pipe_sender::adopt(second.release());
  if (!sender) return std::move(sender).error();
  return pipe_ends{std::move(*sender), std::move(*receiver)};
}

}}}  // namespace eddy::EDDY_ABI::net
