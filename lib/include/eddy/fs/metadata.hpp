#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <eddy/config.hpp>
#include <eddy/fs/job.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {
struct metadata_access;
}

namespace fs {

/// What a path stands for.
enum class file_kind : std::uint8_t {
  unknown,
  regular,
  directory,
  symlink,
  fifo,
  socket,
  block_device,
  character_device,
};

/// A time of a file, to the nanosecond as far as the file system keeps it.
using file_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// Who may do what with a file: the twelve bits of its mode.
class permissions {
 public:
  explicit constexpr permissions(std::uint32_t mode) noexcept : mode_(mode & 07777U) {}
  /// The twelve bits.
  constexpr std::uint32_t mode() const noexcept { return mode_; }
  /// The twelve bits anew; what is above them is left out.
  constexpr void set_mode(std::uint32_t mode) noexcept { mode_ = mode & 07777U; }
  /// Nobody may write.
  constexpr bool is_readonly() const noexcept { return (mode_ & 0222U) == 0; }
  /// Takes everybody's right to write away, or gives it to the owner.
  constexpr void set_readonly(bool readonly) noexcept {
    mode_ = readonly ? mode_ & ~0222U : mode_ | 0200U;
  }
  friend constexpr bool operator==(permissions a, permissions b) noexcept {
    return a.mode_ == b.mode_;
  }

 private:
  std::uint32_t mode_;
};

/// What the system knows about a file, as it was at one moment.
class file_metadata {
 public:
  /// What it is.
  file_kind kind() const noexcept { return kind_; }
  /// True for a regular file.
  bool is_file() const noexcept { return kind_ == file_kind::regular; }
  /// True for a directory.
  bool is_dir() const noexcept { return kind_ == file_kind::directory; }
  /// Only what `symlink_metadata` and directory entries give can be one.
  bool is_symlink() const noexcept { return kind_ == file_kind::symlink; }
  /// Bytes.
  std::uint64_t size() const noexcept { return size_; }
  /// Who may do what with it.
  fs::permissions permissions() const noexcept { return fs::permissions(mode_); }
  /// The whole mode, kind included (`st_mode`).
  std::uint32_t mode() const noexcept { return mode_; }

  /// When its contents were changed last.
  file_time modified() const noexcept { return modified_; }
  /// When it was read last; file systems may be lazy about it.
  file_time accessed() const noexcept { return accessed_; }
  /// When anything of it, also its name or permissions, was changed last.
  file_time changed() const noexcept { return changed_; }
  /// When it was made, if the file system keeps that.
  std::optional<file_time> created() const noexcept { return created_; }

  /// The device that holds it.
  std::uint64_t device() const noexcept { return device_; }
  /// Its number there.
  std::uint64_t inode() const noexcept { return inode_; }
  /// How many names it has.
  std::uint64_t links() const noexcept { return links_; }
  /// The user who owns it.
  std::uint32_t uid() const noexcept { return uid_; }
  /// The group that owns it.
  std::uint32_t gid() const noexcept { return gid_; }
  /// Blocks of 512 bytes it takes.
  std::uint64_t blocks() const noexcept { return blocks_; }

 private:
  friend struct eddy::detail::metadata_access;

  file_kind kind_ = file_kind::unknown;
  std::uint32_t mode_ = 0;
  std::uint32_t uid_ = 0;
  std::uint32_t gid_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t blocks_ = 0;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  std::uint64_t links_ = 0;
  file_time modified_;
  file_time accessed_;
  file_time changed_;
  std::optional<file_time> created_;
};

/// What `path` stands for; symbolic links are followed.
job<file_metadata> metadata(std::string path);
/// The same of a symbolic link itself.
job<file_metadata> symlink_metadata(std::string path);
/// Changes who may do what with what `path` stands for.
job<void> set_permissions(std::string path, permissions to);
/// Whether `path` leads to something: a broken symbolic link does not.
///
/// Errors: what keeps the answer from being known, such as a directory that may not be searched.
job<bool> try_exists(std::string path);

}  // namespace fs

}}  // namespace eddy::EDDY_ABI
