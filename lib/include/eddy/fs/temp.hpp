#pragma once

#include <string>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/fs/file.hpp>
#include <eddy/fs/job.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace fs {

/// A new, empty directory that only its owner may look into; removed, with all that is in it by then, when this
/// goes. Below $TMPDIR, or /tmp, if no `parent` is named.
///
/// Dropping it removes it there and then, in the thread that drops it, so that it is gone also when the program
/// ends next, and nobody hears of a failure; `remove()` does it on a blocking thread and tells.
/// Lifetime: what still runs in it when it goes (a write that was dropped) may find it gone, or leave it there.
class temp_dir {
 public:
  /// Makes one, in `parent` if it is given.
  static job<temp_dir> create();
  static job<temp_dir> create(std::string parent);

  temp_dir(temp_dir&& other) noexcept : path_(std::exchange(other.path_, std::string())) {}
  temp_dir& operator=(temp_dir&& other) noexcept {
    temp_dir taken(std::move(other));
    std::swap(path_, taken.path_);
    return *this;
  }
  ~temp_dir();

  /// Its path.
  const std::string& path() const noexcept { return path_; }
  /// A path in it.
  std::string file(const std::string& name) const { return path_ + '/' + name; }
  /// Removes it; it is not there for anybody from the call on.
  job<void> remove() &&;
  /// Lets it stay; its path.
  std::string keep() && noexcept { return std::exchange(path_, std::string()); }

 private:
  friend struct made_temporary;
  explicit temp_dir(std::string path) noexcept : path_(std::move(path)) {}

  std::string path_;  // empty: nothing to remove
};

/// A new, empty file for reading and writing that only its owner may look into; removed when this goes. In
/// $TMPDIR, or /tmp, if no directory is named.
class temp_file {
 public:
  /// Makes one, in `directory` if it is given.
  static job<temp_file> create();
  static job<temp_file> create(std::string directory);

  temp_file(temp_file&& other) noexcept
      : path_(std::exchange(other.path_, std::string())), file_(std::move(other.file_)) {}
  temp_file& operator=(temp_file&& other) noexcept {
    temp_file taken(std::move(other));
    std::swap(path_, taken.path_);
    std::swap(file_, taken.file_);
    return *this;
  }
  ~temp_file();

  /// Its path.
  const std::string& path() const noexcept { return path_; }
  /// The open file.
  fs::file& file() noexcept { return file_; }
  /// Renames it to `path`, where it stays; `flush` or `sync_all` before. How a file is replaced at once: whoever
  /// opens `path` finds the old contents or the new, never half of them.
  ///
  /// Errors: it is removed then. A path on another file system is one.
  job<void> persist(std::string path) &&;

 private:
  friend struct made_temporary;
  temp_file(std::string path, fs::file opened) noexcept
      : path_(std::move(path)), file_(std::move(opened)) {}

  std::string path_;  // empty: nothing to remove
  fs::file file_;
};

}}}  // namespace eddy::EDDY_ABI::fs
