// Never built: the lint must flag exactly the lines marked BAD (lint.py checks that before it is
// trusted).
#include <array>
#include <coroutine>
#include <string>
#include <utility>

template <class T>
struct future {
  struct promise_type {
    T value{};
    future get_return_object() { return {}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_value(T v) { value = std::move(v); }
    void unhandled_exception() {}
  };
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<>) {}
  T await_resume() { return {}; }
};

struct tick {
  std::string symbol;
  double price;
};
struct quote {
  quote(std::string s, double p) : symbol(std::move(s)), price(p) {}
  std::string symbol;
  double price;
};
struct pair {
  int first, second;
};

template <class T>
future<int> send(T) {
  co_return 0;
}
template <class F>
future<int> call(F f) {
  co_return f();
}
future<std::string> name() { co_return "a"; }

future<int> bad(std::string s, bool c) {
  co_await send(tick{"BTC", 1.0});                            // BAD
  co_await send(std::array<std::string, 1>{s});               // BAD
  co_await call([s] { return static_cast<int>(s.size()); });  // BAD
  co_await send(c ? s + "a" : s + "b");                       // BAD
  std::string t = c ? co_await name() : std::string("b");     // BAD
  pair p{co_await send(1), 2};                                // BAD
  int* q = new int(co_await send(p.first));                   // BAD
  int sum = co_await send(1) + co_await send(2);              // BAD
  delete q;
  co_return sum + static_cast<int>(t.size());
}

future<int> good(std::string s, bool c) {
  co_await send(quote("BTC", 1.0));
  co_await send(quote{"BTC", 1.0});
  co_await send(std::string("x") + s);
  co_await call([c] { return c ? 1 : 2; });
  auto f = [s] { return static_cast<int>(s.size()); };
  co_await call(std::move(f));
  // lint-ok: shows the excuse on the line above
  co_await send(tick{"BTC", 1.0});
  co_await send(tick{"BTC", 1.0});  // lint-ok: and on the line itself
  if (co_await send(1) && co_await send(2)) co_return 1;
  int one = co_await send(c ? 1 : 2);
  int two = co_await send(2);
  co_return one + two;
}
