#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/fs/job.hpp>
#include <eddy/io/buffer.hpp>

// What <eddy/fs/file.hpp> is made of: the leaves, and what they share with the jobs.

namespace eddy { inline namespace EDDY_ABI {

namespace fs {
class file;
class file_metadata;
}  // namespace fs

namespace detail {

struct open_file;  // a descriptor and its path; closed with the last that uses it
class file_job;

/// Bytes between a file and its jobs: those up to `end` are there, those up to `at` have been used.
struct file_buffer {
  std::unique_ptr<char[]> bytes;
  std::size_t capacity = 0;
  std::size_t at = 0;
  std::size_t end = 0;

  std::size_t size() const noexcept { return end - at; }
  /// Room for `n` bytes, which may be less than asked for; empties it. False: no memory.
  bool make_room(std::size_t n) noexcept;
};

/// What a job does with an open file.
enum class file_action : std::uint8_t {
  read,
  write,
  seek,
  set_len,
  sync_all,
  sync_data,
  metadata,
  set_permissions,
  read_at,
  write_at,
  // Not for jobs: these only wait for the one that runs.
  flush,
  clone,
  give_away,
};

/// Reads into a buffer of the caller's.
class [[nodiscard]] file_read_leaf {
 public:
  file_read_leaf(fs::file& f, io::buffer to) noexcept : file_(&f), to_(to) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  fs::file* file_;
  io::buffer to_;
};

/// Hands bytes over to be written: some, or all.
class [[nodiscard]] file_write_leaf {
 public:
  file_write_leaf(fs::file& f, io::const_buffer from) noexcept : file_(&f), from_(from) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  fs::file* file_;
  io::const_buffer from_;
};
class [[nodiscard]] file_write_vectored_leaf {
 public:
  file_write_vectored_leaf(fs::file& f, std::span<const io::const_buffer> from) noexcept
      : file_(&f), from_(from) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  fs::file* file_;
  std::span<const io::const_buffer> from_;
};
class [[nodiscard]] file_write_all_leaf {
 public:
  file_write_all_leaf(fs::file& f, io::const_buffer from) noexcept : file_(&f), rest_(from) {}
  polled<result<void>> poll(context& cx) noexcept;

 private:
  fs::file* file_;
  io::const_buffer rest_;
};

/// What has one answer. Instantiated in file.cpp for what `file` has.
template <class T>
class [[nodiscard]] file_operation {
 public:
  file_operation(fs::file& f, file_action what, std::int64_t a = 0, int b = 0) noexcept
      : file_(&f), a_(a), b_(b), what_(what) {}
  polled<result<T>> poll(context& cx) noexcept;

 private:
  fs::file* file_;
  std::int64_t a_;
  int b_;
  file_action what_;
  std::uint32_t ticket_ = 0;  // of the job, once it has begun
};

/// Reads or writes at a place of its own; a job that the file knows nothing of.
class file_positioned {
 protected:
  file_positioned(const fs::file& f, std::int64_t at) noexcept : file_(&f), at_(at) {}
  file_positioned(file_positioned&& other) noexcept
      : file_(other.file_), at_(other.at_), job_(std::exchange(other.job_, nullptr)) {}
  ~file_positioned();
  /// True when it has ended: `failed` says how.
  bool poll_job(context& cx, file_action what, std::size_t size, const void* from,
                error& failed) noexcept;

  const fs::file* file_;
  std::int64_t at_;
  file_job* job_ = nullptr;
};
class [[nodiscard]] file_read_at_leaf : file_positioned {
 public:
  file_read_at_leaf(const fs::file& f, io::buffer to, std::int64_t at) noexcept
      : file_positioned(f, at), to_(to) {}
  polled<result<std::size_t>> poll(context& cx) noexcept;

 private:
  io::buffer to_;
};
class [[nodiscard]] file_write_at_leaf : file_positioned {
 public:
  file_write_at_leaf(const fs::file& f, io::const_buffer from, std::int64_t at) noexcept
      : file_positioned(f, at), from_(from) {}
  polled<result<void>> poll(context& cx) noexcept;

 private:
  io::const_buffer from_;
};

}  // namespace detail

}}  // namespace eddy::EDDY_ABI
