#pragma once

#include <concepts>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/promise.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// Awaits an operation that reports through a callback: `initiate` is called with a `promise<T>` when
/// the future is awaited (not before) and passes it on to whoever calls back.
///
///   auto n = co_await eddy::from_callback<int>([](eddy::promise<int> done, request r) {
///     start(r, [done = std::move(done)](int v) mutable { done.set_value(v); }); }, std::move(r));
///
/// Cancel safety: the operation itself goes on; its result is dropped. `promise::is_abandoned()` tells.
/// Threads: the promise may be fulfilled from any thread, also before `initiate` returns.
/// Errors: a callback destroyed uncalled throws `broken_promise`; what `initiate` throws is thrown.
template <class T = void, class Initiate, class... A>
  requires std::invocable<Initiate, promise<T>, A...>
future<T> from_callback(Initiate initiate, A... args) {
  promise<T> p;
  auto f = p.get_future();
  std::move(initiate)(std::move(p), std::move(args)...);
  co_return co_await std::move(f);
}

}}  // namespace eddy::EDDY_ABI
