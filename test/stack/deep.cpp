// Ten million awaits that are ready at once, and chains of 100 000 that complete, fail or are dropped, on a thread with
// a 512 kB stack. Built several times with flags of its own: whether the stack stays constant is decided in the
// headers' templates, by the compiler's flags.

#include <eddy/eddy.hpp>

#include <pthread.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <eddy/core/or_return.hpp>
#include <eddy/core/pin.hpp>

namespace {

using eddy::future;

constexpr std::size_t stack_bytes = 512 * 1024;
constexpr int ready_awaits = EDDY_TEST_READY_AWAITS;
constexpr int levels = 100'000;

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::exit(1);
}

class mock final : public eddy::wake_target {
 public:
  void wake() noexcept override {}
  void retain() noexcept override {}
  void release() noexcept override {}
};

class turns {
 public:
  explicit turns(int n) noexcept : left_(n) {}
  eddy::polled<> poll(eddy::context& cx) noexcept {
    if (left_-- == 0) return eddy::ready;
    cx.wake();
    return eddy::pending;
  }

 private:
  int left_;
};

future<int> one(int v) { co_return v; }
future<long> many_ready(int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += co_await one(1);
  co_return sum;
}
future<long> many_nested(int n) {
  long sum = 0;
  for (int i = 0; i < n / 100; ++i) sum += co_await many_ready(99);
  co_return sum;
}

int locals_alive = 0;
class local {
 public:
  local() noexcept { ++locals_alive; }
  local(const local&) = delete;
  ~local() { --locals_alive; }
};

enum class bottom { value, waits, throws, fails };

future<int> nest(int level, bottom end) {
  local l;
  if (level != 0) {
    const int below = co_await nest(level - 1, end);
    co_return below + 1;
  }
  if (end != bottom::value) co_await turns(1);
#if EDDY_EXCEPTIONS
  if (end == bottom::throws) throw std::runtime_error("bottom");
#endif
  co_return 0;
}

future<eddy::result<int>> nest_result(int level, bottom end) {
  local l;
  if (level != 0) {
    const int below = co_await eddy::or_return(nest_result(level - 1, end));
    co_return below + 1;
  }
  if (end != bottom::value) co_await turns(1);
  if (end == bottom::fails) co_return eddy::error(eddy::errc::closed, "bottom");
  co_return 0;
}

/// Each level's child is a parameter of the next: none runs until all are made.
future<int> wrap(future<int> inner) {
  const int below = co_await std::move(inner);
  co_return below + 1;
}

template <class T>
eddy::result<T> finish(future<T> f) {
  mock target;
  auto p = eddy::pin(std::move(f));
  for (;;) {
    eddy::context cx(target);
    auto r = p.poll(cx);
    if (r) return r.take();
  }
}

void ready_in_a_loop() {
  expect(*finish(many_ready(ready_awaits)) == ready_awaits, "ready awaits");
  expect(*finish(many_nested(ready_awaits / 10)) == ready_awaits / 1000 * 99,
         "nested ready awaits");
}

void on_a_runtime() {
  eddy::runtime rt;
  expect(rt.block_on(many_ready(ready_awaits / 10)) == ready_awaits / 10, "ready awaits in a task");
  expect(rt.block_on(nest(levels, bottom::waits)) == levels, "levels in a task");
  auto h = rt.spawn(nest(levels, bottom::waits));
  auto joined = rt.spawn(
      [](auto mine) -> future<int> {
        const int v = co_await mine;
        co_return v;
      },
      std::move(h));
  expect(rt.block_on([&]() -> future<int> {
    const int v = co_await joined;
    co_return v;
  }) == levels,
         "levels in a spawned task");
}

void chains() {
  for (const auto end : {bottom::value, bottom::waits}) {
    expect(*finish(nest(levels, end)) == levels, "a chain that completes");
    expect(**finish(nest_result(levels, end)) == levels, "a chain of or_return that completes");
  }
  expect(finish(nest_result(levels, bottom::fails))->error() == eddy::errc::closed,
         "a chain that fails");
#if EDDY_EXCEPTIONS
  auto thrown = finish(nest(levels, bottom::throws));
  expect(!thrown && thrown.error().message() == "bottom", "a chain that throws");
#endif
  expect(locals_alive == 0, "locals are gone");
}

void dropped_while_suspended() {
  for (int i = 0; i < 2; ++i) {
    mock target;
    {
      std::optional<eddy::pinned<int>> p;
      std::optional<eddy::pinned<eddy::result<int>>> q;
      eddy::context cx(target);
      if (i == 0) {
        p.emplace(nest(levels, bottom::waits));
        expect(!p->poll(cx), "it waits");
      } else {
        q.emplace(nest_result(levels, bottom::waits));
        expect(!q->poll(cx), "it waits");
      }
      expect(locals_alive == levels + 1, "locals are alive");
    }
    expect(locals_alive == 0, "a drop destroys all");
  }
  {
    eddy::runtime rt;
    auto h = rt.spawn(nest(levels, bottom::waits));
    rt.block_on(eddy::yield_now());
  }
  expect(locals_alive == 0, "a runtime's end destroys all");
}

void made_before_they_run() {
  auto f = one(0);
  for (int i = 0; i < levels; ++i) f = wrap(std::move(f));
  expect(*finish(std::move(f)) == levels, "a chain of futures given as parameters");
}

void* run(void*) {
  const auto before = eddy::detail::live_frames();
  ready_in_a_loop();
  chains();
  dropped_while_suspended();
  made_before_they_run();
  on_a_runtime();
  expect(eddy::detail::live_frames() == before, "no frame is left");
  return nullptr;
}

}  // namespace

int main() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  pthread_t thread;
  if (pthread_create(&thread, &attributes, &run, nullptr) != 0) return 2;
  pthread_join(thread, nullptr);
}
