// Channels and locks: the workloads of the Tokio peer by the same names.

#include <memory>
#include <utility>
#include <vector>

#include <eddy/eddy.hpp>

#include "workload.hpp"

namespace bench {
namespace {

namespace sync = eddy::sync;

eddy::future<> take_turns(std::shared_ptr<sync::semaphore> s, int n) {
  for (int i = 0; i < n; ++i) auto permit = co_await s->acquire();
}

template <class F, class Shared>
eddy::future<> ten_of(F work, Shared shared, int n) {
  std::vector<eddy::join_handle<>> handles;
  for (int i = 0; i < 10; ++i) handles.push_back(eddy::spawn(work(shared, n)));
  for (auto& h : handles) {
    auto one = std::move(h);
    co_await one;
  }
}
eddy::future<> semaphore_contended_10() {
  return ten_of(take_turns, std::make_shared<sync::semaphore>(5), operations / 10);
}

namespace oneshot = sync::oneshot;

eddy::future<> pong(oneshot::receiver<int> rx, oneshot::sender<int> tx) {
  const int v = co_await rx;
  static_cast<void>(std::move(tx).send(v));
}
eddy::future<> oneshot_pingpong() {
  for (int i = 0; i < operations; ++i) {
    auto [tx, rx] = oneshot::channel<int>();
    auto [back_tx, back_rx] = oneshot::channel<int>();
    eddy::spawn(pong(std::move(rx), std::move(back_tx)));
    static_cast<void>(std::move(tx).send(1));
    co_await back_rx;
  }
}

constexpr workload workloads[] = {
    {"ct/semaphore_contended_10", operations, semaphore_contended_10},
    {"ct/oneshot_pingpong", operations, oneshot_pingpong},
};

}  // namespace

std::span<const workload> sync_workloads() { return workloads; }

}  // namespace bench
