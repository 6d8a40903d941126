// Files. One job at a time is a file's, and its buffer goes along; what is between two jobs (bytes read ahead, the
// failure of a write) is the file's own.
//
// I1  `running_`: the job has been handed over, and nobody has seen its end. Every operation sees to it first.
// I2  Bytes that were read and not taken stand before the descriptor's own place; whoever depends on that place
//     gives them back first (`back`).
// I3  A write that was accepted is mandatory: it is run whatever goes first, and its failure waits in
//     `write_failure_`.
//
// Threads: of one task at a time; the job is the blocking thread's (file_job.hpp).

#include <eddy/fs/file.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "fs/file_job.hpp"
#include "fs/make_job.hpp"

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

namespace {

const char* name_of(file_action what) noexcept {
  switch (what) {
    case file_action::read:
      return "read";
    case file_action::write:
      return "write";
    case file_action::seek:
      return "seek";
    case file_action::set_len:
      return "set_len";
    case file_action::sync_all:
      return "sync_all";
    case file_action::sync_data:
      return "sync_data";
    case file_action::metadata:
      return "metadata";
    case file_action::set_permissions:
      return "set_permissions";
    case file_action::read_at:
      return "read_at";
    case file_action::write_at:
      return "write_all_at";
    case file_action::flush:
      return "flush";
    case file_action::clone:
      return "try_clone";
    case file_action::give_away:
      return "into_descriptor";
  }
  return "file";
}

}  // namespace

bool file_buffer::make_room(std::size_t n) noexcept {
  at = end = 0;
  if (n <= capacity) return true;
  bytes.reset();
  bytes.reset(new (std::nothrow) char[n]);
  capacity = bytes != nullptr ? n : 0;
  return bytes != nullptr;
}

}  // namespace detail

namespace fs {

using eddy::detail::file_action;
using eddy::detail::file_job;
using eddy::detail::open_file;
using eddy::detail::uninterrupted;

// ---- opening

int open_options::flags() const noexcept {
  const bool writes = write_ || append_;
  if (!read_ && !writes) return -1;
  if (!writes && (truncate_ || create_ || create_new_)) return -1;
  if (append_ && truncate_ && !create_new_) return -1;
  int flags = O_CLOEXEC | (custom_ & ~O_ACCMODE);
  flags |= read_ && writes ? O_RDWR : writes ? O_WRONLY : O_RDONLY;
  if (append_) flags |= O_APPEND;
  if (create_new_) return flags | O_CREAT | O_EXCL;
  if (create_) flags |= O_CREAT;
  if (truncate_) flags |= O_TRUNC;
  return flags;
}

job<file> open_options::open(std::string path) const {
  return eddy::detail::make_job(
      [path = std::move(path), flags = flags(), mode = mode_]() -> result<file> {
        const auto failed = [&path](int code) { return error::system(code, "open", path); };
        if (flags < 0 || eddy::detail::has_zero(path)) return failed(EINVAL);
        const int fd = uninterrupted([&]() noexcept { return ::open(path.c_str(), flags, mode); });
        if (fd < 0) return failed(errno);
        return file(std::make_shared<open_file>(fd, path));
      });
}

job<file> file::open(std::string path) { return options().read(true).open(std::move(path)); }
job<file> file::create(std::string path) {
  return options().write(true).create(true).truncate(true).open(std::move(path));
}
job<file> file::create_new(std::string path) {
  return options().read(true).write(true).create_new(true).open(std::move(path));
}
file file::from_descriptor(int fd, std::string path) {
  return file(std::make_shared<open_file>(fd, std::move(path)));
}

file::file() noexcept = default;
file::file(std::shared_ptr<open_file> opened) noexcept : open_(std::move(opened)) {}
file::file(file&& other) noexcept { swap(other); }
file& file::operator=(file&& other) noexcept {
  file taken(std::move(other));
  swap(taken);
  return *this;
}
void file::swap(file& other) noexcept {
  std::swap(open_, other.open_);
  std::swap(job_, other.job_);
  std::swap(buffer_, other.buffer_);
  std::swap(max_buf_size_, other.max_buf_size_);
  std::swap(refused_, other.refused_);
  std::swap(write_failure_, other.write_failure_);
  std::swap(ticket_, other.ticket_);
  std::swap(running_, other.running_);
  std::swap(fresh_read_, other.fresh_read_);
}
file::~file() {
  if (job_ != nullptr) job_->drop();
}

// ---- jobs

error file::failed(file_action what, int code) const noexcept {
  const char* const name = eddy::detail::name_of(what);
  return open_ != nullptr ? error::system(code, name, open_->path) : error::system(code, name);
}

// True when nothing runs any more.
bool file::settle(context& cx) noexcept {
  if (!running_) return true;
  if (!job_->poll(cx)) return false;
  running_ = false;
  refused_ = job_->take_refusal();
  buffer_ = std::move(job_->buffer);
  fresh_read_ = job_->what == file_action::read;
  if (job_->what == file_action::write) {
    write_failure_ = refused_ ? ECANCELED : job_->code;
    buffer_.at = buffer_.end = 0;
  }
  return true;
}

// The buffer goes along. `back` bytes of what was read ahead are to be given back first.
error file::begin(context& cx, file_action what, std::size_t back, std::int64_t a, int b) noexcept {
  if (open_ == nullptr) return failed(what, EBADF);
  auto* const next = new file_job(open_, what, a, b);
  next->mandatory = what == file_action::write;
  next->back = back;
  next->buffer = std::move(buffer_);
  if (back != 0 && what != file_action::write) next->buffer.at = next->buffer.end;
  if (job_ != nullptr) job_->drop();
  job_ = next;
  ++ticket_;
  fresh_read_ = false;
  error refused = next->submit(cx);
  if (!refused) {
    running_ = true;
    return {};
  }
  buffer_ = std::move(next->buffer);
  buffer_.at = buffer_.end = 0;
  static_cast<void>(::lseek(open_->fd.get(), -static_cast<::off_t>(back), SEEK_CUR));
  return refused;
}

error file::take_write_failure() noexcept {
  const int code = std::exchange(write_failure_, 0);
  return code != 0 ? failed(file_action::write, code) : error();
}

error file::last_failure() noexcept {
  if (refused_) return refused_;
  return job_->code != 0 ? failed(job_->what, job_->code) : error();
}

// All of it at once, so that one accepted write is one system call as far as the system lets it.
polled<result<std::size_t>> file::poll_write(context& cx,
                                             std::span<const io::const_buffer> from) noexcept {
  using answer = result<std::size_t>;
  if (!settle(cx)) return pending;
  if (error failure = take_write_failure()) return answer(std::move(failure));
  std::size_t wanted = 0;
  for (const auto& part : from) wanted += part.size();
  wanted = std::min(wanted, max_buf_size_);
  if (wanted == 0) return answer(0U);
  if (!cx.proceed()) return pending;
  const std::size_t back = buffer_.size();
  if (!buffer_.make_room(wanted)) return answer(failed(file_action::write, ENOMEM));
  for (const auto& part : from) {
    const std::size_t n = std::min(part.size(), wanted - buffer_.end);
    if (n == 0) continue;
    std::memcpy(buffer_.bytes.get() + buffer_.end, part.data(), n);
    buffer_.end += n;
  }
  if (error refused = begin(cx, file_action::write, back)) return answer(std::move(refused));
  return answer(wanted);
}

// ---- the descriptor

int file::descriptor() const noexcept { return open_ != nullptr ? open_->fd.get() : -1; }

result<int> file::duplicate(file_action what) noexcept {
  if (open_ == nullptr) return failed(what, EBADF);
  const int fd = ::fcntl(open_->fd.get(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return failed(what, errno);
  return fd;
}

result<file> file::clone() noexcept {
  auto fd = duplicate(file_action::clone);
  if (!fd) return std::move(fd).error();
  file other(std::make_shared<open_file>(*fd, open_->path));
  other.max_buf_size_ = max_buf_size_;
  return other;
}

// A duplicate: reads and writes at places of their own may still be using the file's.
result<int> file::give_away() noexcept {
  auto fd = duplicate(file_action::give_away);
  if (!fd) return fd;
  if (buffer_.size() != 0)
    static_cast<void>(::lseek(*fd, -static_cast<::off_t>(buffer_.size()), SEEK_CUR));
  *this = file();
  return fd;
}

result<int> file::try_into_descriptor() noexcept {
  if (running_) return failed(file_action::give_away, EBUSY);
  return give_away();
}

}  // namespace fs

}}  // namespace eddy::EDDY_ABI
