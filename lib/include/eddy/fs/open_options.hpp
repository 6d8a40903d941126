#pragma once

#include <cstdint>
#include <string>

#include <eddy/config.hpp>
#include <eddy/fs/job.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace fs {

class file;

/// How a file is opened: `co_await fs::open_options().append(true).create(true).open("log")`. All are off at first.
class open_options {
 public:
  open_options& read(bool on) noexcept {
    read_ = on;
    return *this;
  }
  open_options& write(bool on) noexcept {
    write_ = on;
    return *this;
  }
  /// Every write goes to the end of the file, wherever that is by then. Implies `write`.
  open_options& append(bool on) noexcept {
    append_ = on;
    return *this;
  }
  /// A file that is there loses its contents. Needs `write`.
  open_options& truncate(bool on) noexcept {
    truncate_ = on;
    return *this;
  }
  /// A file that is not there is made. Needs `write` or `append`.
  open_options& create(bool on) noexcept {
    create_ = on;
    return *this;
  }
  /// A file is made, and one that is there, or a symbolic link, is a failure; `create` and `truncate` say nothing
  /// then. Needs `write` or `append`.
  open_options& create_new(bool on) noexcept {
    create_new_ = on;
    return *this;
  }
  /// Who may do what with a file that is made, less what the process's umask takes away. 0666 if nothing is said.
  open_options& mode(std::uint32_t mode) noexcept {
    mode_ = mode;
    return *this;
  }
  /// More flags for open(2), such as O_NOFOLLOW; those for reading and writing are not looked at.
  open_options& custom_flags(int flags) noexcept {
    custom_ = flags;
    return *this;
  }

  /// Errors: options that make no sense together, or nothing to open it for, are `std::errc::invalid_argument`.
  job<file> open(std::string path) const;

 private:
  /// For open(2); -1 when they make no sense.
  int flags() const noexcept;

  std::uint32_t mode_ = 0666;
  int custom_ = 0;
  bool read_ = false;
  bool write_ = false;
  bool append_ = false;
  bool truncate_ = false;
  bool create_ = false;
  bool create_new_ = false;
};

}}}  // namespace eddy::EDDY_ABI::fs
