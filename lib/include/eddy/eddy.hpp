#pragma once

/// Everything a program usually needs: futures, tasks, the runtime, time, channels and locks, select and join,
/// and TCP. Streams and the test kit have headers of their own.

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/core/attempt.hpp>
#include <eddy/core/from_callback.hpp>
#include <eddy/core/future.hpp>
#include <eddy/core/join_handle.hpp>
#include <eddy/core/or_return.hpp>
#include <eddy/core/pin.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/core/poll_fn.hpp>
#include <eddy/core/promise.hpp>
#include <eddy/core/spawn.hpp>
#include <eddy/core/waker.hpp>
#include <eddy/core/yield.hpp>
#include <eddy/net/lookup.hpp>
#include <eddy/net/tcp_listener.hpp>
#include <eddy/net/tcp_split.hpp>
#include <eddy/net/tcp_stream.hpp>
#include <eddy/runtime/runtime.hpp>
#include <eddy/runtime/spawn_blocking.hpp>
#include <eddy/sync/barrier.hpp>
#include <eddy/sync/broadcast.hpp>
#include <eddy/sync/mpsc.hpp>
#include <eddy/sync/mutex.hpp>
#include <eddy/sync/oneshot.hpp>
#include <eddy/sync/rw_lock.hpp>
#include <eddy/sync/semaphore.hpp>
#include <eddy/sync/watch.hpp>
#include <eddy/task/abort_on_drop.hpp>
#include <eddy/task/for_each_concurrent.hpp>
#include <eddy/task/join.hpp>
#include <eddy/task/join_all.hpp>
#include <eddy/task/join_set.hpp>
#include <eddy/task/scope.hpp>
#include <eddy/task/select.hpp>
#include <eddy/task/select_any.hpp>
#include <eddy/time/clock.hpp>
#include <eddy/time/delay_queue.hpp>
#include <eddy/time/interval.hpp>
#include <eddy/time/rate_limiter.hpp>
#include <eddy/time/sleep.hpp>
#include <eddy/time/timeout.hpp>
