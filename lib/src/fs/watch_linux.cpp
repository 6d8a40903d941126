#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <eddy/core/attempt.hpp>
#include <eddy/runtime/detail/readiness.hpp>

#include "fs/make_job.hpp"
#include "fs/watch_source.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

constexpr std::uint32_t wanted = IN_CREATE | IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM |
                                 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

fs::change change_of(std::uint32_t mask) noexcept {
  if ((mask & IN_CREATE) != 0) return fs::change::created;
  if ((mask & (IN_DELETE | IN_DELETE_SELF)) != 0) return fs::change::removed;
  if ((mask & IN_MODIFY) != 0) return fs::change::modified;
  if ((mask & IN_ATTRIB) != 0) return fs::change::attributes;
  if ((mask & (IN_MOVED_FROM | IN_MOVE_SELF)) != 0) return fs::change::moved_from;
  if ((mask & IN_MOVED_TO) != 0) return fs::change::moved_to;
  return fs::change::missed;
}

class inotify_source final : public watch_source {
 public:
  inotify_source(registration io, std::string path) noexcept
      : io_(std::move(io)), path_(std::move(path)) {}

  polled<result<std::optional<fs::watch_event>>> poll(context& cx) noexcept override {
    next_polled<fs::watch_event> out(pending);
    while (!out) {
      if (at_ != end_) {
        if (!cx.proceed()) break;
        take(out);
      } else if (!read(out, cx)) {
        break;
      }
    }
    return out;
  }

 private:
  // One of those that were read.
  void take(next_polled<fs::watch_event>& out) noexcept {
    ::inotify_event e;
    std::memcpy(&e, bytes_ + at_, sizeof e);
    const char* const name = bytes_ + at_ + sizeof e;
    at_ += sizeof e + e.len;
    // It says that nothing more will come.
    if ((e.mask & (IN_IGNORED | IN_UNMOUNT)) != 0) return finish(out);
    const fs::change what = change_of(e.mask);
    const std::size_t length = e.len != 0 ? ::strnlen(name, e.len) : 0;
    catching(out, [&] { give(out, what, std::string(name, length)); });
  }
  // False: it waits. The answer is filled in if that fails.
  bool read(next_polled<fs::watch_event>& out, context& cx) noexcept {
    const wait_result state = io_.state().poll_ready(direction::read, waiter_, cx);
    if (state == wait_result::waiting) return false;
    if (state == wait_result::elsewhere) return fail(out, awaited_elsewhere()), true;
    const auto tick = io_.state().tick();
    const ::ssize_t n = ::read(io_.fd(), bytes_, sizeof bytes_);
    if (n > 0) {
      at_ = 0;
      end_ = static_cast<std::size_t>(n);
    } else if (n < 0 && errno == EAGAIN) {
      if (state == wait_result::ended) return fail(out, awaited_after_the_end("watch")), true;
      io_.state().clear(direction::read, tick);
    } else if (n < 0 && errno != EINTR) {
      fail(out, error::system(errno, "watch", path_));
    }
    return true;
  }

  registration io_;
  io_waiter waiter_{io_.state()};
  std::string path_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  alignas(::inotify_event) char bytes_[4096];
};

}  // namespace

future<result<std::unique_ptr<watch_source>>> watch_source::open(std::string path) {
  // The path is looked up on a blocking thread; the descriptor is registered here.
  auto opening = make_job([path]() -> result<descriptor> {
    if (has_zero(path)) return error::system(EINVAL, "watch", path);
    descriptor fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (fd.get() < 0 || ::inotify_add_watch(fd.get(), path.c_str(), wanted) < 0)
      return error::system(errno, "watch", path);
    return fd;
  });
  auto opened = co_await attempt(std::move(opening));
  if (!opened) co_return std::move(opened).error();
  auto io = registration::adopt(opened->release(), "watch");
  if (!io) co_return std::move(io).error();
  co_return std::unique_ptr<watch_source>(new inotify_source(std::move(*io), std::move(path)));
}

}}}  // namespace eddy::EDDY_ABI::detail
