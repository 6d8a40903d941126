// Jobs of fs: between a leaf and a blocking thread.
//
// I1  A block has two owners from `submit` on: the thread, until `finish_block` has published, and the leaf.
//     Before that it has the leaf alone, and the thread's share is given back by it.
// I2  The thread writes the outcome before it publishes; after that it touches nothing but its share.
// I3  Whether a job is run is decided once, by the thread, as it begins: a leaf that has gone by then leaves it
//     undone, if it is not mandatory.
//
// Threads: poll, submit and drop on the leaf's; finish_block on whichever thread runs or refuses the job.

#include <eddy/fs/job.hpp>

#include <eddy/base/detail/frame_pool.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

void* job_base::operator new(std::size_t bytes) {
  void* const p = frame_allocate(bytes);
  if (p == nullptr) fatal("out of memory");
  return p;
}
void job_base::operator delete(void* p, std::size_t bytes) noexcept { frame_release(p, bytes); }

error job_base::submit(context& cx) noexcept {
  scheduler* const where = context_access::runtime(cx);
  if (where == nullptr) {
    failure = error(errc::misuse, "an operation of fs was awaited outside a runtime");
    return failure;
  }
  submitted_ = true;
  if (error refused = submit_blocking(where, *this); refused && !refused.is(errc::closed))
    failure = std::move(refused);  // finish_block has taken it for the end of the runtime
  return failure;
}

bool job_base::poll(context& cx) noexcept {
  if (!submitted_ && submit(cx)) return true;
  return cell_base::poll(cx);
}

void job_base::drop() noexcept {
  abandon();
  if (!submitted_) static_cast<void>(release_one());
  if (release_one()) delete this;
}

void job_base::finish_block(blocking_job& job, bool run) noexcept {
  auto& self = static_cast<job_base&>(job);
  scheduler* const home = job.runtime;
  if (!run)
    self.failure = error(errc::aborted, "the runtime has ended: a job of fs");
  else if (self.mandatory || !self.is_abandoned())
    self.run();
  self.publish();
  if (self.release_one()) delete &self;
  end_blocking(home, false);
}

}}}  // namespace eddy::EDDY_ABI::detail
