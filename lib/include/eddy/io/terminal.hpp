#pragma once

#include <utility>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace io {

/// Whether a descriptor is a terminal.
bool is_terminal(int fd) noexcept;

/// The size of a terminal.
struct terminal_extent {
  int columns;  ///< characters in a line
  int rows;     ///< lines
};
/// How large a terminal is, in characters. `signal::kind::window_change()` tells when that has changed.
/// Errors: ENOTTY for what is no terminal.
result<terminal_extent> terminal_size(int fd = 1) noexcept;

/// A terminal in raw mode while this lives: each key comes at once, unseen, and Ctrl-C is a byte.
///
/// Set right again when the last one goes, when the program exits, and when a signal ends it that nobody listens to or
/// handles (also the second request to end of `signal::shutdown`); SIGKILL leaves the terminal as it is, and so do
/// signals that programs hardly ever get: SIGIO, SIGPWR, SIGSTKFLT, real-time ones.
/// Threads: any.
class raw_mode {
 public:
  /// Several may be on at once, for one terminal.
  /// Errors: ENOTTY for what is no terminal, EBUSY while another terminal is in raw mode.
  static result<raw_mode> enter(int fd = 0) noexcept;
  raw_mode(raw_mode&& other) noexcept : on_(std::exchange(other.on_, false)) {}
  raw_mode& operator=(raw_mode&& other) noexcept {
    std::swap(on_, other.on_);
    return *this;
  }
  ~raw_mode();

 private:
  raw_mode() noexcept = default;
  bool on_ = true;
};

}}}  // namespace eddy::EDDY_ABI::io
