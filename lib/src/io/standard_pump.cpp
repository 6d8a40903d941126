#include "io/standard_pump.hpp"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <eddy/base/error.hpp>

#include "base/detached_thread.hpp"
#include "io/quiet_write.hpp"
#include "io/standard_stream.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {
constexpr std::size_t most_bytes = 65536;
}

standard_pump& standard_pump::of(int fd) noexcept {
  struct all_pumps {
    standard_pump each[3] = {standard_pump(0), standard_pump(1), standard_pump(2)};
  };
  static all_pumps& it = *[] {
    auto* const made = new all_pumps;  // I4
    static all_pumps* held = nullptr;
    held = made;
    ::pthread_atfork(
        [] {
          for (auto& p : held->each) p.mutex_.lock();
        },
        [] {
          for (auto& p : held->each) p.mutex_.unlock();
        },
        [] {
          for (auto& p : held->each) {  // I5
            p.queue_.clear();
            p.unclaimed_.clear();
            // It still counts the thread that waited.
            std::construct_at(&p.filled_);
            p.has_thread_ = false;
            p.mutex_.unlock();
          }
        });
    return made;
  }();
  return it.each[fd];
}

int standard_pump::enqueue(const job_ptr& job) noexcept {
  if (!has_thread_) {
    const int code = start_detached([](void* p) { static_cast<standard_pump*>(p)->work(); }, this);
    if (code != 0) return code;
    has_thread_ = true;
  }
  queue_.push_back(job);
  filled_.notify_one();
  return 0;
}

// Whether it is done; if not, the task will be woken.
bool standard_pump::wait_for(pump_job& job, context& cx, waker& before) noexcept {
  if (job.at == pump_job::step::done) return true;
  if (!cx.wakes_same(job.who)) before = std::exchange(job.who, cx.get_waker());
  return false;
}

polled<result<std::size_t>> standard_pump::poll_read(context& cx, job_ptr& job,
                                                     io::buffer to) noexcept {
  using answer = result<std::size_t>;
  waker before;
  std::unique_lock lock(mutex_);
  if (!job) {
    if (!unclaimed_.empty()) {
      job = std::move(unclaimed_.front());
      unclaimed_.pop_front();
    } else {
      auto made = std::make_shared<pump_job>(true);
      made->bytes.resize(std::min(to.size(), most_bytes));
      if (const int code = enqueue(made); code != 0) return answer(failed(fd_, code));
      job = std::move(made);
    }
  }
  if (!wait_for(*job, cx, before)) return pending;
  lock.unlock();
  if (!cx.proceed()) return pending;  // it stays done, and ours
  lock.lock();
  const auto mine = std::exchange(job, nullptr);
  if (mine->code != 0) return answer(failed(fd_, mine->code));
  const auto n = std::min(to.size(), mine->end - mine->begin);
  if (n != 0) std::memcpy(to.data(), mine->bytes.data() + mine->begin, n);
  mine->begin += n;
  if (mine->begin != mine->end) unclaimed_.push_front(mine);
  return answer(n);
}

polled<result<std::size_t>> standard_pump::poll_write(context& cx, job_ptr& job,
                                                      io::const_buffer from) noexcept {
  using answer = result<std::size_t>;
  waker before;
  std::unique_lock lock(mutex_);
  if (!job) {
    auto made = std::make_shared<pump_job>(false);
    const auto* const first = static_cast<const char*>(from.data());
    made->bytes.assign(first, first + std::min(from.size(), most_bytes));
    if (const int code = enqueue(made); code != 0) return answer(failed(fd_, code));
    job = std::move(made);
  }
  if (!wait_for(*job, cx, before)) return pending;
  lock.unlock();
  if (!cx.proceed()) return pending;
  const auto mine = std::exchange(job, nullptr);
  if (mine->end == 0 && mine->code != 0) return answer(failed(fd_, mine->code));
  return answer(mine->end);
}

void standard_pump::drop(const job_ptr& job) noexcept {
  waker before;
  const std::lock_guard lock(mutex_);
  before = std::exchange(job->who, waker());
  if (std::erase(queue_, job) != 0) return;  // I3
  if (job->reads) unclaimed_.push_back(job);
}

void standard_pump::run(pump_job& job) const noexcept {
  while (job.end < job.bytes.size()) {
    char* const at = job.bytes.data() + job.end;
    const auto left = job.bytes.size() - job.end;
    const ::ssize_t n = job.reads ? ::read(fd_, at, left) : write_quietly(fd_, at, left);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      // Somebody has left it non-blocking.
      pollfd until{fd_, static_cast<short>(job.reads ? POLLIN : POLLOUT), 0};
      ::poll(&until, 1, -1);
      continue;
    }
    if (n < 0) job.code = errno;
    if (n > 0) job.end += static_cast<std::size_t>(n);
    if (n <= 0 || job.reads) return;
  }
}

void standard_pump::work() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    filled_.wait(lock, [this] { return !queue_.empty(); });
    const auto job = std::move(queue_.front());
    queue_.pop_front();
    job->at = pump_job::step::running;
    lock.unlock();
    run(*job);
    lock.lock();
    job->at = pump_job::step::done;
    waker who = std::exchange(job->who, waker());
    lock.unlock();
    std::move(who).wake();
    lock.lock();
  }
}

}}}  // namespace eddy::EDDY_ABI::detail
