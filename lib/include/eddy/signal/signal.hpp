#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/signal/kind.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class signal_listening;  // one listener's part of the registry: src/signal/registry.hpp
struct end_listening {
  void operator()(signal_listening* l) const noexcept;
};
using signal_listening_ptr = std::unique_ptr<signal_listening, end_listening>;

result<signal_listening_ptr> listen_to(int number) noexcept;
polled<result<void>> poll_signal(signal_listening& l, context& cx) noexcept;
void stop_waiting(signal_listening& l) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace signal {

/// Hears of every arrival of one signal from the moment it is made; `signal(kind)` makes one. Also a stream, of
/// the kind each time, so that several can be merged.
///
/// Any number of listeners, in any number of runtimes and threads, all hear of it. Arrivals that come before the
/// last one was taken are one, as the system itself does with them.
/// While a signal has a listener its default action does not happen. A handler that was there before is still
/// called, after eddy's; not so for SIGINT, SIGTERM, SIGHUP and SIGQUIT, where it would as a rule end the program.
/// When the last listener of a signal goes, what was there before comes back, unless somebody has installed another
/// handler meanwhile.
/// Threads: one task's at a time, on the runtime it was made on; may be dropped anywhere.
/// Lifetime: may outlive its runtime; a wait is then an error.
/// Cost: one block, one descriptor and one registration with the loop for each listener.
class listener : public stream_base<listener> {
  class [[nodiscard]] recv_leaf {
   public:
    explicit recv_leaf(listener& l) noexcept : of_(l.state_.get()) {}
    recv_leaf(recv_leaf&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    recv_leaf& operator=(recv_leaf&&) = delete;
    ~recv_leaf() {
      if (waits_) eddy::detail::stop_waiting(*of_);
    }
    polled<result<void>> poll(context& cx) noexcept {
      auto p = eddy::detail::poll_signal(*of_, cx);
      waits_ = !p;
      return p;
    }

   private:
    eddy::detail::signal_listening* of_;
    bool waits_ = false;
  };

 public:
  /// Waits for the next arrival.
  ///
  /// Cancel safety: nothing is lost.
  /// Lifetime: borrows the listener.
  /// Errors: on a runtime that has ended, or another one than the listener's.
  recv_leaf recv() noexcept { return recv_leaf(*this); }
  /// The same for leaves of one's own.
  polled<result<void>> poll_recv(context& cx) noexcept {
    return eddy::detail::poll_signal(*state_, cx);
  }
  /// What it listens to.
  kind what() const noexcept { return kind_; }
  /// As a stream: `what()` at each arrival; it has no end.
  polled<result<std::optional<kind>>> poll_next(context& cx) noexcept;

 private:
  friend result<listener> signal(kind k) noexcept;
  listener(kind k, eddy::detail::signal_listening_ptr state) noexcept
      : kind_(k), state_(std::move(state)) {}

  kind kind_;
  eddy::detail::signal_listening_ptr state_;
};

/// Listens to `k` from now on: `auto hup = signal(kind::hangup()).value();`.
///
/// Errors: outside a runtime misuse; EINVAL for what cannot be listened to: SIGKILL, SIGSTOP, those of a fault
/// (SIGSEGV, SIGBUS, SIGFPE, SIGILL), and numbers that are no signal; running out of descriptors or memory.
result<listener> signal(kind k) noexcept;

}}}  // namespace eddy::EDDY_ABI::signal
