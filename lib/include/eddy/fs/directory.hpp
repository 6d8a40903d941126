#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <eddy/config.hpp>
#include <eddy/fs/job.hpp>
#include <eddy/fs/metadata.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {
struct open_directory;
class directory_job;
}  // namespace detail

namespace fs {

/// Makes a directory; what holds it must be there.
job<void> create_dir(std::string path);
/// Makes a directory and those that should hold it, as far as they are missing. One that is there is no failure.
job<void> create_dir_all(std::string path);
/// Removes an empty directory.
job<void> remove_dir(std::string path);
/// Removes a directory and all that is in it. Symbolic links in it are removed, not followed, also when somebody
/// puts one where a directory was while this goes on.
///
/// Cancel safety: dropped before a thread has begun it, nothing is removed; dropped later, it goes on.
/// Errors: of the first thing that cannot be removed; what went before is gone. A `path` that is no directory
/// itself is `std::errc::not_a_directory`.
job<void> remove_dir_all(std::string path);

/// How a directory is made.
class dir_builder {
 public:
  /// As `create_dir_all`.
  dir_builder& recursive(bool on) noexcept {
    recursive_ = on;
    return *this;
  }
  /// Who may do what with it, less what the process's umask takes away. 0777 if nothing is said.
  dir_builder& mode(std::uint32_t mode) noexcept {
    mode_ = mode;
    return *this;
  }
  /// Makes the directory.
  job<void> create(std::string path) const;

 private:
  bool recursive_ = false;
  std::uint32_t mode_ = 0777;
};

/// A name in a directory.
class dir_entry {
 public:
  dir_entry(std::shared_ptr<const std::string> directory, std::string name, file_kind kind,
            std::uint64_t inode) noexcept
      : directory_(std::move(directory)), name_(std::move(name)), inode_(inode), kind_(kind) {}

  /// The name, without the directory.
  const std::string& file_name() const noexcept { return name_; }
  /// The path that was read, and the name.
  std::string path() const;
  /// The number of its inode.
  std::uint64_t inode() const noexcept { return inode_; }
  /// What it is, a symbolic link being one; `unknown` where the file system's listings do not say.
  file_kind listed_kind() const noexcept { return kind_; }
  /// The same, asked of the system where the listing does not say.
  job<file_kind> file_type() const;
  /// As `symlink_metadata(path())`.
  job<file_metadata> metadata() const;

 private:
  std::shared_ptr<const std::string> directory_;
  std::string name_;
  std::uint64_t inode_;
  file_kind kind_;
};

/// The names in a directory but "." and "..", in no order: `while (auto e = co_await names.next_entry())`. A
/// stream, with all its adapters.
///
/// Cancel safety: a dropped `next_entry()` has taken nothing: what was being read comes with the next.
/// Threads: awaited on any runtime, by one task at a time.
/// Errors: name the directory; the stream ends behind one.
/// Cost: names come 64 a job.
class dir_stream : public stream_base<dir_stream> {
 public:
  dir_stream(dir_stream&& other) noexcept;
  dir_stream& operator=(dir_stream&& other) noexcept;
  ~dir_stream();

  polled<result<std::optional<dir_entry>>> poll_next(context& cx) noexcept;
  /// As `next()`.
  auto next_entry() noexcept { return next(); }
  bool is_terminated() const noexcept {
    return at_ == entries_.size() && source_ == nullptr && reading_ == nullptr;
  }

 private:
  friend class eddy::detail::directory_job;
  dir_stream() noexcept;

  std::vector<dir_entry> entries_;  // read, and given up to `at_`
  std::size_t at_ = 0;
  std::shared_ptr<eddy::detail::open_directory> source_;  // null: there are no more
  eddy::detail::directory_job* reading_ = nullptr;
};

/// Opens a directory for reading.
job<dir_stream> read_dir(std::string path);

}  // namespace fs

}}  // namespace eddy::EDDY_ABI
