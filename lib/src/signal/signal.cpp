#include <eddy/signal/signal.hpp>

#include <cstddef>
#include <iterator>
#include <utility>

#include <eddy/signal/ctrl_c.hpp>
#include <eddy/signal/shutdown.hpp>

#include "signal/registry.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace signal {

using eddy::detail::signal_registry;

namespace {

struct named {
  int number;
  const char* name;
};
constexpr named names[] = {
    {SIGABRT, "SIGABRT"},   {SIGALRM, "SIGALRM"}, {SIGBUS, "SIGBUS"},   {SIGCHLD, "SIGCHLD"},
    {SIGCONT, "SIGCONT"},   {SIGFPE, "SIGFPE"},   {SIGHUP, "SIGHUP"},   {SIGILL, "SIGILL"},
    {SIGINT, "SIGINT"},     {SIGIO, "SIGIO"},     {SIGKILL, "SIGKILL"}, {SIGPIPE, "SIGPIPE"},
    {SIGPROF, "SIGPROF"},   {SIGQUIT, "SIGQUIT"}, {SIGSEGV, "SIGSEGV"}, {SIGSTOP, "SIGSTOP"},
    {SIGSYS, "SIGSYS"},     {SIGTERM, "SIGTERM"}, {SIGTRAP, "SIGTRAP"}, {SIGTSTP, "SIGTSTP"},
    {SIGTTIN, "SIGTTIN"},   {SIGTTOU, "SIGTTOU"}, {SIGURG, "SIGURG"},   {SIGUSR1, "SIGUSR1"},
    {SIGUSR2, "SIGUSR2"},   {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"}, {SIGVTALRM, "SIGVTALRM"},
    {SIGWINCH, "SIGWINCH"},
#ifdef SIGINFO
    {SIGINFO, "SIGINFO"},
#endif
};

}  // namespace

std::string kind::name() const {
  for (const auto& n : names)
    if (n.number == number_) return n.name;
#ifdef SIGRTMIN
  if (number_ >= SIGRTMIN && number_ <= SIGRTMAX)
    return number_ == SIGRTMIN ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(number_ - SIGRTMIN);
#endif
  return "signal " + std::to_string(number_);
}

result<listener> signal(kind k) noexcept {
  auto state = eddy::detail::listen_to(k.number());
  if (!state) return std::move(state).error();
  return listener(k, std::move(*state));
}

polled<result<std::optional<kind>>> listener::poll_next(context& cx) noexcept {
  using answer = result<std::optional<kind>>;
  auto p = poll_recv(cx);
  if (!p) return pending;
  if (!p->has_value()) return answer(unexpect, std::move(*p).error());
  return answer(std::in_place, kind_);
}

namespace signal_detail {

polled<result<void>> ctrl_c_leaf::poll(context& cx) noexcept {
  if (!listener_) {
    auto made = signal(kind::interrupt());
    if (!made) return result<void>(std::move(made).error());
    listener_.emplace(std::move(*made));
  }
  auto p = listener_->poll_recv(cx);
  if (p) listener_.reset();
  return p;
}

shutdown_leaf::~shutdown_leaf() {
  if (begun_) signal_registry::get().end_wait_for_shutdown();
}

// The wait first: what a listener hears after that is a request.
result<void> shutdown_leaf::begin() noexcept {
  begun_ = true;
  signal_registry::get().begin_wait_for_shutdown();
  for (auto* const l : {&interrupt_, &terminate_}) {
    auto made = eddy::detail::listen_to(l == &interrupt_ ? SIGINT : SIGTERM);
    if (!made) return std::move(made).error();
    *l = std::move(*made);
  }
  return {};
}

polled<result<kind>> shutdown_leaf::poll(context& cx) noexcept {
  if (!begun_ && signal_registry::shutdown_request() == 0) {
    auto r = begin();
    if (!r) return result<kind>(std::move(r).error());
  }
  for (auto* const l : {interrupt_.get(), terminate_.get()}) {
    if (l == nullptr || signal_registry::shutdown_request() != 0) continue;
    auto p = eddy::detail::poll_signal(*l, cx);
    if (p && !p->has_value()) return result<kind>(std::move(*p).error());
  }
  const int request = signal_registry::shutdown_request();
  if (request == 0 || !cx.proceed()) return pending;
  return result<kind>(kind(request));
}

}  // namespace signal_detail

}}}  // namespace eddy::EDDY_ABI::signal
