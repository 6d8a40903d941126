#pragma once

#include <sys/types.h>

#include <concepts>
#include <initializer_list>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/process/child.hpp>
#include <eddy/process/stdio.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace process {

/// A program to be started, and how: `co_await command("ls").arg("-l").output()`.
///
/// May be started several times; the names are Tokio's, but for `std_in` and its kin (`stdin` is a macro).
/// A child begins with no signal blocked and with SIGPIPE as by default; of the descriptors it gets what is not
/// close-on-exec.
class command {
 public:
  /// A program's path, or a name that is looked for in PATH (the child's, if it is set here).
  explicit command(std::string program) : program_(std::move(program)) {}

  /// One argument more.
  command& arg(std::string a) {
    args_.push_back(std::move(a));
    return *this;
  }
  /// Some arguments more.
  template <std::ranges::input_range R>
    requires std::constructible_from<std::string, std::ranges::range_reference_t<R>>
  command& args(R&& all) {
    for (auto&& a : all) args_.emplace_back(std::forward<decltype(a)>(a));
    return *this;
  }
  command& args(std::initializer_list<std::string_view> all) {
    for (const auto a : all) args_.emplace_back(a);
    return *this;
  }
  /// What the program is told it is called; else as it was named here.
  command& arg0(std::string name) {
    arg0_ = std::move(name);
    return *this;
  }
  /// Sets a variable of the child's environment, which is else this program's.
  command& env(std::string name, std::string value);
  /// The child does not get that variable.
  command& env_remove(std::string name);
  /// Begins with an empty one; what is set afterwards stays.
  command& env_clear();
  /// The directory it starts in. A program's path that is relative is looked for from there.
  command& current_dir(std::string path) {
    directory_ = std::move(path);
    return *this;
  }
  /// The user it runs as (needs the right to; the process is forked then, which is dear in a large program).
  command& uid(::uid_t id) {
    uid_ = id;
    return *this;
  }
  /// The group it runs as; as `uid`.
  command& gid(::gid_t id) {
    gid_ = id;
    return *this;
  }
  /// Its further groups. With `uid` as root and without this: none.
  command& groups(std::vector<::gid_t> ids) {
    groups_ = std::move(ids);
    return *this;
  }
  /// The process group it is put into; 0: one of its own.
  command& process_group(::pid_t group) {
    group_ = group;
    return *this;
  }
  /// A session of its own, without a terminal.
  command& new_session(bool yes = true) {
    new_session_ = yes;
    return *this;
  }
  /// What its standard input is.
  command& std_in(stdio s) {
    streams_[0] = std::move(s);
    return *this;
  }
  /// What its standard output is.
  command& std_out(stdio s) {
    streams_[1] = std::move(s);
    return *this;
  }
  /// What its standard error is.
  command& std_err(stdio s) {
    streams_[2] = std::move(s);
    return *this;
  }
  /// Whether a child whose handle is dropped is killed. Default: it runs on.
  command& kill_on_drop(bool yes = true) {
    kill_on_drop_ = yes;
    return *this;
  }

  /// Starts it. Streams that nothing was said about are this program's.
  ///
  /// Threads: anywhere; pipes are made inside a runtime only (misuse otherwise).
  /// Errors: what the system said, with the program: it is not there, may not be run, its directory is not there;
  /// a zero byte in a string is EINVAL.
  /// Cost: this thread waits until the child runs the program: tens of microseconds.
  result<child> spawn();
  /// Starts it now, and waits for its end. Dropping it drops the child.
  ///
  /// Cancel safety: the child is dropped: it runs on, or is killed if `kill_on_drop`.
  operation<exit_status> status();
  /// Starts it now with `std_out` and `std_err` piped, unless something else was said, and waits for its end and all
  /// it writes.
  ///
  /// Cancel safety: as `status`, and what has been read is lost.
  operation<captured_output> output();

 private:
  struct change {
    std::string name;
    std::optional<std::string> value;  // nothing: removed
  };

  void change_env(std::string name, std::optional<std::string> value);
  result<child> spawn_with(stdio::how unset_outputs);
  std::vector<std::string> environment() const;
  std::string looked_up_program() const;

  std::string program_;
  std::optional<std::string> arg0_;
  std::vector<std::string> args_;
  std::vector<change> env_;
  bool env_cleared_ = false;
  bool new_session_ = false;
  bool kill_on_drop_ = false;
  std::optional<std::string> directory_;
  std::optional<::uid_t> uid_;
  std::optional<::gid_t> gid_;
  std::optional<std::vector<::gid_t>> groups_;
  std::optional<::pid_t> group_;
  stdio streams_[3] = {stdio(stdio::how::unset), stdio(stdio::how::unset),
                       stdio(stdio::how::unset)};
};

}}}  // namespace eddy::EDDY_ABI::process
