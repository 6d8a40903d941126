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

constexpr workload workloads[] = {
    {"ct/semaphore_contended_10", operations, semaphore_contended_10},
};

}  // namespace

std::span<const workload> sync_workloads() { return workloads; }

}  // namespace bench
