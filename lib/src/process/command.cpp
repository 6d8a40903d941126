#include <eddy/process/command.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <eddy/base/detail/descriptor.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/core/future.hpp>

#include "base/has_zero.hpp"
#include "base/make_pipe.hpp"
#include "process/exit_watch.hpp"
#include "process/start.hpp"

extern "C" char** environ;

namespace eddy { inline namespace EDDY_ABI { namespace process {

using eddy::detail::has_zero;

namespace {

using eddy::detail::descriptor;
using eddy::detail::registration;

// From 3 on: so that putting one in its place in the child never hits another's source.
int out_of_the_way(int fd) noexcept {
  if (fd < 0 || fd > 2) return fd;
  const int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  const int code = errno;
  ::close(fd);
  errno = code;
  return moved;
}

int open_null(int stream) noexcept {
  return out_of_the_way(::open("/dev/null", (stream == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
}

// Both ends, and neither blocks nor not yet: ours is made non-blocking when the loop adopts it.
bool open_pipe(descriptor& reads, descriptor& writes) noexcept {
  int ends[2];
  if (!eddy::detail::make_pipe(ends, eddy::detail::pipe_kind::blocking)) return false;
  reads = descriptor(out_of_the_way(ends[0]));
  writes = descriptor(out_of_the_way(ends[1]));
  return reads.get() >= 0 && writes.get() >= 0;
}

// A directory that may be entered is executable too.
bool is_program(const char* path) noexcept {
  struct stat what;
  return ::stat(path, &what) == 0 && S_ISREG(what.st_mode) && ::access(path, X_OK) == 0;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> list;
  list.reserve(strings.size() + 1);
  for (const auto& s : strings) list.push_back(const_cast<char*>(s.c_str()));
  list.push_back(nullptr);
  return list;
}

future<result<captured_output>> fail_later(error why) { co_return why; }
future<result<exit_status>> fail_status(error why) { co_return why; }
future<result<exit_status>> wait_for_status(child c) { co_return co_await attempt(c.wait()); }

}  // namespace

// ---- environment

command& command::env(std::string name, std::string value) {
  change_env(std::move(name), std::move(value));
  return *this;
}
command& command::env_remove(std::string name) {
  change_env(std::move(name), std::nullopt);
  return *this;
}
command& command::env_clear() {
  env_.clear();
  env_cleared_ = true;
  return *this;
}
void command::change_env(std::string name, std::optional<std::string> value) {
  std::erase_if(env_, [&name](const change& c) { return c.name == name; });
  env_.push_back({std::move(name), std::move(value)});
}

std::vector<std::string> command::environment() const {
  std::vector<std::string> all;
  if (!env_cleared_) {
    for (char** v = environ; v != nullptr && *v != nullptr; ++v) {
      const std::string_view variable(*v);
      const auto name = variable.substr(0, variable.find('='));
      const bool is_changed =
          std::any_of(env_.begin(), env_.end(), [name](const change& c) { return c.name == name; });
      if (!is_changed) all.emplace_back(variable);
    }
  }
  for (const auto& c : env_)
    if (c.value) all.push_back(c.name + '=' + *c.value);
  return all;
}

// posix_spawn looks in this program's PATH; another one is gone through here.
std::string command::looked_up_program() const {
  const auto path = std::find_if(env_.begin(), env_.end(),
                                 [](const change& c) { return c.name == "PATH" && c.value; });
  if (path == env_.end() || program_.find('/') != std::string::npos) return program_;
  std::string_view rest = *path->value;
  for (;;) {
    const auto end = rest.find(':');
    auto candidate = std::string(rest.substr(0, end));
    if (!candidate.empty()) candidate += '/';
    candidate += program_;
    if (is_program(candidate.c_str()))
      return candidate.find('/') == std::string::npos ? "./" + candidate : candidate;
    if (end == std::string_view::npos) return "/nowhere/" + program_;
    rest.remove_prefix(end + 1);
  }
}

// ---- starting

result<child> command::spawn() { return spawn_with(stdio::how::inherit); }

result<child> command::spawn_with(stdio::how unset_outputs) {
  const auto failed = [this](int code) {
    return error::system(code, "spawn", directory_ ? program_ + " in " + *directory_ : program_);
  };
  std::vector<std::string> arguments{arg0_.value_or(program_)};
  arguments.insert(arguments.end(), args_.begin(), args_.end());
  const auto environment = this->environment();
  const auto program = looked_up_program();
  if (has_zero(program) || (directory_ && has_zero(*directory_)) ||
      std::any_of(arguments.begin(), arguments.end(), has_zero) ||
      std::any_of(environment.begin(), environment.end(), has_zero))
    return failed(EINVAL);

  descriptor theirs[3];
  descriptor ours[3];
  eddy::detail::start_plan plan{};
  for (int i = 0; i < 3; ++i) {
    auto how = streams_[i].how_;
    if (how == stdio::how::unset) how = i == 0 ? stdio::how::inherit : unset_outputs;
    switch (how) {
      case stdio::how::unset:
      case stdio::how::inherit:
        continue;
      case stdio::how::null:
        theirs[i] = descriptor(open_null(i));
        break;
      case stdio::how::pipe:
        if (!open_pipe(i == 0 ? theirs[i] : ours[i], i == 0 ? ours[i] : theirs[i]))
          return failed(errno);
        break;
      case stdio::how::descriptor:
        // One that is in the way, or another's place, is moved; the command keeps its own.
        theirs[i] = descriptor(::fcntl(streams_[i].fd_, F_DUPFD_CLOEXEC, 3));
        break;
    }
    if (theirs[i].get() < 0) return failed(errno);
    plan.streams[i] = theirs[i].get();
  }
  registration watched[3];
  for (int i = 0; i < 3; ++i) {
    if (ours[i].get() < 0) continue;
    auto made = registration::adopt(ours[i].release(), "spawn");
    if (!made) return std::move(made).error();
    watched[i] = std::move(*made);
  }

  const auto argument_list = pointers(arguments);
  const auto environment_list = pointers(environment);
  plan.program = program.c_str();
  plan.arguments = argument_list.data();
  plan.environment = environment_list.data();
  if (directory_) plan.directory = directory_->c_str();
  plan.group = group_;
  plan.new_session = new_session_;
  plan.uid = uid_;
  plan.gid = gid_;
  if (groups_) {
    plan.set_groups = true;
    plan.groups = groups_->data();
    plan.group_count = groups_->size();
  }
  const auto started = eddy::detail::start_program(plan);
  if (started.code != 0) return failed(started.code);

  child made(
      eddy::detail::exit_watch_ptr(new eddy::detail::exit_watch(started.pid, kill_on_drop_)));
  if (watched[0].valid()) made.std_in = child_input(std::move(watched[0]));
  if (watched[1].valid()) made.std_out = child_output(std::move(watched[1]));
  if (watched[2].valid()) made.std_err = child_output(std::move(watched[2]));
  return made;
}

operation<exit_status> command::status() {
  auto started = spawn();
  if (!started) return operation<exit_status>(fail_status(std::move(started).error()));
  // What is piped and read by nobody would fill: the child gets errors or the end instead.
  started->std_in.reset();
  started->std_out.reset();
  started->std_err.reset();
  return operation<exit_status>(wait_for_status(std::move(*started)));
}

operation<captured_output> command::output() {
  auto started = spawn_with(stdio::how::pipe);
  if (!started) return operation<captured_output>(fail_later(std::move(started).error()));
  return std::move(*started).wait_with_output();
}

}}}  // namespace eddy::EDDY_ABI::process
