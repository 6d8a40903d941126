#pragma once

#include <cstddef>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/cell.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/task/spawn_blocking.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

/// What a blocking thread and the leaf that waits for it share: what is to be done, what it works on, and its
/// outcome. One block, which the last of the two frees; so the frame that waits may go at any time.
class job_base : public blocking_job, private cell_base {
 public:
  job_base(const job_base&) = delete;
  job_base& operator=(const job_base&) = delete;
  static void* operator new(std::size_t bytes);
  static void operator delete(void* p, std::size_t bytes) noexcept;

  /// The side that waits. True when the job has ended; begins it when it is first asked.
  bool poll(context& cx) noexcept;
  /// Gives it to a blocking thread of the runtime of `cx`. An error: it has ended without being run.
  error submit(context& cx) noexcept;
  /// The side that waits goes. What has not begun is not begun, unless it is `mandatory`; what has goes on.
  void drop() noexcept;
  /// Why it was not run, once it has ended; an empty error if it was.
  error take_refusal() noexcept { return std::move(failure); }

 protected:
  job_base() noexcept { finish = &finish_block; }
  virtual ~job_base() = default;

 private:
  virtual void run() noexcept = 0;
  static void finish_block(blocking_job& job, bool run) noexcept;

  bool submitted_ = false;
};

template <class T>
class job_block : public job_base {
 public:
  result<T> outcome{unexpect, errc::aborted, "a job of fs"};
};

}  // namespace detail

namespace fs {

/// An operation on files, done in one piece on one of the runtime's blocking threads: lazy like a future, it is
/// handed to a thread when it is first polled. `co_await` gives its value or throws, `attempt` gives a
/// `result<T>`.
///
/// Cancel safety: dropped before a thread has begun it, it is not done; dropped later, it is done to its end and
/// its value is dropped. It is never done by half.
/// Threads: awaited on any runtime. Several run at once, on as many threads as `spawn_blocking` has.
/// Lifetime: owns what it works on.
/// Errors: name the operation and the path: "open /etc/shadow: permission denied". `errc::aborted` when the
/// runtime ends before a thread has begun it.
/// Cost: one block from the frame allocator, and two changes of thread.
template <class T>
class [[nodiscard("eddy: a job does nothing until it is awaited")]] job {
 public:
  using value_type = T;

  explicit job(eddy::detail::job_block<T>* block) noexcept : block_(block) {}
  job(job&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  job& operator=(job&&) = delete;
  ~job() {
    if (block_ != nullptr) block_->drop();
  }

  polled<result<T>> poll(context& cx) noexcept {
    if (block_ == nullptr) return result<T>(error(errc::misuse, "a job was polled after it ended"));
    if (!block_->poll(cx) || !cx.proceed()) return pending;
    auto* const done = std::exchange(block_, nullptr);
    if (error refused = done->take_refusal()) done->outcome = unexpected(std::move(refused));
    polled<result<T>> answer(std::move(done->outcome));
    done->drop();
    return answer;
  }

 private:
  eddy::detail::job_block<T>* block_;
};

}  // namespace fs

}}  // namespace eddy::EDDY_ABI
