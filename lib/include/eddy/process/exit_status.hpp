#pragma once

#include <optional>
#include <string>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace process {

/// How a child has ended: by `exit`, with a code, or by a signal.
class exit_status {
 public:
  /// From what `waitpid` says.
  explicit constexpr exit_status(int raw) noexcept : raw_(raw) {}

  /// It ended by itself, with code 0.
  constexpr bool success() const noexcept { return raw_ == 0; }
  /// The code it ended with; nothing: a signal ended it.
  std::optional<int> code() const noexcept;
  /// The signal that ended it, if one did.
  std::optional<int> signal() const noexcept;
  /// True when the signal left a core file.
  bool core_dumped() const noexcept;
  /// As `waitpid` says it.
  constexpr int raw() const noexcept { return raw_; }
  /// "exit code 2", "SIGKILL", "SIGSEGV, core dumped".
  std::string to_string() const;

  friend constexpr bool operator==(exit_status, exit_status) noexcept = default;

 private:
  int raw_;
};

}}}  // namespace eddy::EDDY_ABI::process
