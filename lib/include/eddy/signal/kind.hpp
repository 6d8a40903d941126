#pragma once

#include <signal.h>

#include <string>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace signal {

/// Which signal: `kind::terminate()`, or `kind(SIGRTMIN + 3)`.
class kind {
 public:
  /// Any signal by its number; whether one can listen to it, `signal()` says.
  explicit constexpr kind(int number) noexcept : number_(number) {}

  /// SIGALRM: an alarm has run out.
  static constexpr kind alarm() noexcept { return kind(SIGALRM); }
  /// SIGCHLD: a child has ended, stopped or gone on. `process::child` does not need it.
  static constexpr kind child() noexcept { return kind(SIGCHLD); }
  /// SIGHUP: the terminal is gone; by custom, read the configuration again.
  static constexpr kind hangup() noexcept { return kind(SIGHUP); }
#ifdef SIGINFO
  /// SIGINFO: tell how far you are (BSD, macOS).
  static constexpr kind info() noexcept { return kind(SIGINFO); }
#endif
  /// SIGINT: Ctrl-C.
  static constexpr kind interrupt() noexcept { return kind(SIGINT); }
  /// SIGIO: a descriptor is ready.
  static constexpr kind io() noexcept { return kind(SIGIO); }
  /// SIGPIPE: a write to a pipe that nobody reads.
  static constexpr kind pipe() noexcept { return kind(SIGPIPE); }
  /// SIGQUIT: Ctrl-\.
  static constexpr kind quit() noexcept { return kind(SIGQUIT); }
  /// SIGTERM: please end.
  static constexpr kind terminate() noexcept { return kind(SIGTERM); }
  /// SIGUSR1.
  static constexpr kind user_defined1() noexcept { return kind(SIGUSR1); }
  /// SIGUSR2.
  static constexpr kind user_defined2() noexcept { return kind(SIGUSR2); }
  /// SIGWINCH: the terminal has another size.
  static constexpr kind window_change() noexcept { return kind(SIGWINCH); }

  /// The system's number.
  constexpr int number() const noexcept { return number_; }
  /// "SIGTERM", "SIGRTMIN+3", or "signal 99" for what has no name.
  std::string name() const;

  friend constexpr bool operator==(kind, kind) noexcept = default;

 private:
  int number_;
};

}}}  // namespace eddy::EDDY_ABI::signal
