#pragma once

#include <chrono>

#include <eddy/config.hpp>
#include <eddy/time/clock.hpp>

// The clock of a runtime in the hands of its test. A paused clock stands still while anything is ready, and jumps to
// the next timer when the loop would sleep and no blocking job is in flight. `runtime::builder::start_paused` pauses
// it from the start.
//
// It does not know of what comes from outside: with a socket or another thread to wait for, a timeout is over before
// its time. Let such tests run by the real clock.

namespace eddy { inline namespace EDDY_ABI { namespace test {

namespace detail {
void advance_clock(duration d);
}

/// Stops the clock of the runtime whose task this is; nothing when it stands already.
/// Errors: outside of a task it is misuse. So for the others here.
void pause();
/// Lets it go on from where it stands: deadlines keep their distance.
void resume();
/// True while it is paused.
bool is_paused();

/// Moves a paused clock on. What is due is woken, and runs when this task next waits: `co_await yield_now()` (two of
/// them under a shuffled queue, which may put this task first).
/// Errors: a clock that runs is misuse.
template <class Rep, class Period>
void advance(std::chrono::duration<Rep, Period> d) {
  detail::advance_clock(eddy::detail::to_duration(d));
}

}}}  // namespace eddy::EDDY_ABI::test
