// The dump: every live task of a loop as text.

#include <algorithm>
#include <string>
#include <vector>

#include <eddy/runtime/runtime.hpp>

#include "core/site.hpp"
#include "runtime/loop.hpp"

namespace eddy { inline namespace EDDY_ABI {

namespace {

using detail::promise_base;
using detail::task;
using detail::task_slab;
using detail::task_state;

const char* state_of(const task& t) noexcept {
  if (t.is(task_state::running)) return "running";
  if (t.is(task_state::abort)) return "aborting";
  if (t.is(task_state::scheduled | task_state::arriving)) return "ready";
  return "waiting";
}

void append(std::string& out, task& t) {
  const auto& info = task_slab::info(&t);
  out += "task " + std::to_string(info.id) + " '";
  // The innermost coroutine is known while the task waits; its parents by their promises.
  std::vector<const void*> sites;
  for (auto h = t.frames.next; h; h = promise_base::of(h).parent())
    sites.push_back(promise_base::of(h).site);
  std::reverse(sites.begin(), sites.end());
  const void* const root = sites.empty() ? info.site : sites.front();
  out += info.name != nullptr ? std::string(info.name) : detail::describe_function(root);
  out += "' ";
  out += state_of(t);
  out += ", spawned at " + detail::describe_place(info.site) + '\n';
  if (t.is(task_state::running)) return;
  for (const void* site : sites)
    out += "  at " + detail::describe_function(site) + ' ' + detail::describe_place(site) + '\n';
}

}  // namespace

std::string dump() {
  std::string out;
  auto* l = detail::loop::current();
  if (l == nullptr || !l->is_driven_here()) return out;
  std::vector<task*> tasks;
  l->for_each_task([&](task& t) {
    if (!t.is(task_state::done)) tasks.push_back(&t);
  });
  std::sort(tasks.begin(), tasks.end(),
            [](task* a, task* b) { return task_slab::info(a).id < task_slab::info(b).id; });
  for (task* t : tasks) append(out, *t);
  return out;
}

}}  // namespace eddy::EDDY_ABI
