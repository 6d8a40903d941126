#include <eddy/task/detail/blocking_task.hpp>

#include <string>
#include <utility>

#include <eddy/task/spawn.hpp>

#include "core/site.hpp"
#include "task/join_link.hpp"
#include "task/scheduler.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

using st = task_state;
using rm = task_remote;

// Fills the link. What its handle no longer wants is dropped here.
void end(blocking_task& s, std::uint32_t how) noexcept {
  task& t = *s.header;
  t.state.store(st::done | how, std::memory_order_release);
  const auto joiner = std::exchange(t.joiner, 0);
  target_wake_and_release(joiner);
  if (t.is(st::has_value | st::has_failure)) task_transitions::drop_orphan_outcome(t);
}

struct failure_report final : remote_op {
  task_id id;
  const char* name;
  std::string site;
  error why;

  static void deliver(remote_op& op, scheduler& where, bool) noexcept {
    auto& self = static_cast<failure_report&>(op);
    where.report(task_failure{self.id, self.name, self.site, std::move(self.why)});
    delete &self;
  }
};

}  // namespace

join_link* start_blocking_task(blocking_task& s, task& t, scheduler& where, const char* name,
                               const void* site) noexcept {
  where.retain();
  s.runtime = &where;
  s.id = next_task_id();
  s.name = name;
  s.site = site;
  s.header = &t;
  t.owner = task::blocking;
  t.frames.link = &s;
  t.remote.store(2 * rm::unit | rm::merged, std::memory_order_relaxed);
  auto* const link = join_link::make(t);
  t.joiner = to_word(*link);
  return link;
}

void run_blocking_task(blocking_task& s) noexcept {
  auto stage = std::uint32_t{blocking_task::waiting};
  if (!s.stage.compare_exchange_strong(stage, blocking_task::running, std::memory_order_acquire,
                                       std::memory_order_relaxed))
    return;
  const running_scope here(*s.header);
  end(s, s.run(*s.header));
}

void refuse_blocking_task(blocking_task& s, error why) noexcept {
  auto stage = std::uint32_t{blocking_task::waiting};
  if (!s.stage.compare_exchange_strong(stage, blocking_task::ended, std::memory_order_acquire,
                                       std::memory_order_relaxed))
    return;
  task& t = *s.header;
  s.drop(t);
  join_link::of(t.joiner).failure = std::move(why);
  end(s, st::aborted);
}

void leave_blocking_task(blocking_task& s) noexcept {
  task_transitions::foreign(*s.header, 0, rm::unit);
}

void abort_blocking_task(task& t) noexcept {
  refuse_blocking_task(blocking_task::of(t), error(errc::aborted, "task"));
}

void free_blocking_task(task& t) noexcept {
  blocking_task& s = blocking_task::of(t);
  s.runtime->release();
  s.free(t);
}

#if EDDY_EXCEPTIONS
void keep_failure(task& t) noexcept {
  ::new (static_cast<void*>(&t.frames.step)) std::exception_ptr(std::current_exception());
}

// On whichever thread; the hook is called by the runtime's own.
void report_blocking_task(task& t, error why) noexcept {
  blocking_task& s = blocking_task::of(t);
  auto* const report = new failure_report;
  report->run = &failure_report::deliver;
  report->id = task_id{s.id};
  report->name = s.name;
  report->site = describe_place(s.site);
  report->why = std::move(why);
  if (s.runtime->post(*report)) return;
  print_failure(task_failure{report->id, report->name, report->site, std::move(report->why)});
  delete report;
}
#endif

}}}  // namespace eddy::EDDY_ABI::detail
