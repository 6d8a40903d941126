#include <eddy/process/child.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include <eddy/combine/join.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/core/future.hpp>
#include <eddy/io/read.hpp>

#include "process/exit_watch.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

void end_watching::operator()(exit_watch* w) const noexcept { delete w; }

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace process {

// ---- exit_status

std::optional<int> exit_status::code() const noexcept {
  if (!WIFEXITED(raw_)) return std::nullopt;
  return WEXITSTATUS(raw_);
}
std::optional<int> exit_status::signal() const noexcept {
  if (!WIFSIGNALED(raw_)) return std::nullopt;
  return WTERMSIG(raw_);
}
bool exit_status::core_dumped() const noexcept { return WIFSIGNALED(raw_) && WCOREDUMP(raw_); }
std::string exit_status::to_string() const {
  if (const auto number = signal())
    return eddy::signal::kind(*number).name() + (core_dumped() ? ", core dumped" : "");
  return "exit code " + std::to_string(WEXITSTATUS(raw_));
}

// ---- pipes

stdio::~stdio() {
  if (fd_ >= 0) ::close(fd_);
}

namespace {

// The loop closes its own number; the other program finds a pipe that blocks, as it expects.
result<stdio> give_pipe_away(eddy::detail::registration io) noexcept {
  const int fd = ::fcntl(io.fd(), F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return error::system(errno, "into_stdio");
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  return stdio::from_descriptor(fd);
}

}  // namespace

result<stdio> child_input::into_stdio() && noexcept {
  return give_pipe_away(std::exchange(io_, {}));
}
result<stdio> child_output::into_stdio() && noexcept {
  return give_pipe_away(std::exchange(io_, {}));
}

// ---- child

child::wait_leaf::~wait_leaf() {
  if (waits_ && of_->watch_) of_->watch_->stop_waiting();
}

polled<result<exit_status>> child::wait_leaf::poll(context& cx) noexcept {
  of_->std_in.reset();
  if (std::exchange(kill_, false)) {
    auto sent = of_->start_kill();
    if (!sent) return result<exit_status>(std::move(sent).error());
  }
  auto p = of_->watch_->poll(cx, waiter_);
  waits_ = !p;
  return p;
}

polled<result<void>> child::kill_leaf::poll(context& cx) noexcept {
  auto p = wait_.poll(cx);
  if (!p) return pending;
  if (!p->has_value()) return result<void>(std::move(*p).error());
  return result<void>();
}

std::optional<::pid_t> child::id() const noexcept { return watch_->id(); }

result<std::optional<exit_status>> child::try_wait() noexcept { return watch_->look(); }

result<void> child::start_kill() noexcept {
  const int code = watch_->send(SIGKILL);
  if (code != 0 && code != ESRCH) return error::system(code, "kill");
  return {};
}

result<void> child::send(eddy::signal::kind what) noexcept {
  if (const int code = watch_->send(what.number()); code != 0)
    return error::system(code, "send a signal to a child", what.name());
  return {};
}

namespace {

future<result<std::string>> read_all(std::optional<child_output>* from) {
  std::string all;
  if (*from) {
    auto done = co_await attempt(io::read_to_end(**from, all));
    if (!done) co_return std::move(done).error();
  }
  co_return all;
}

future<result<exit_status>> wait_for(child* c) { co_return co_await attempt(c->wait()); }

future<result<captured_output>> wait_and_read(child c) {
  c.std_in.reset();
  auto [out, err, status] = co_await join(read_all(&c.std_out), read_all(&c.std_err), wait_for(&c));
  if (!out) co_return std::move(out).error();
  if (!err) co_return std::move(err).error();
  if (!status) co_return std::move(status).error();
  co_return captured_output{*status, std::move(*out), std::move(*err)};
}

}  // namespace

operation<captured_output> child::wait_with_output() && {
  return operation<captured_output>(wait_and_read(std::move(*this)));
}

}}}  // namespace eddy::EDDY_ABI::process
