#include <eddy/time/rate_limiter.hpp>

#include <numeric>
#include <utility>

#include <eddy/base/detail/misuse.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

token_bucket::token_bucket(std::uint32_t count, duration per, std::uint32_t burst, instant now)
    : count_(count),
      per_(static_cast<std::uint64_t>(per.count())),
      filled_(now),
      burst_(burst),
      tokens_(burst) {
  if (count == 0 || per <= duration::zero() || burst == 0)
    misuse("a rate_limiter's count, time and burst must be more than nothing");
  const auto common = std::gcd(count_, per_);
  count_ /= common;
  per_ /= common;
  while (per_ > INT64_MAX / count_) {  // a little slower than asked for, never faster
    count_ /= 2;
    per_ = per_ / 2 + per_ % 2;
  }
}

void token_bucket::fill(instant now) noexcept {
  if (now <= filled_) return;
  const auto passed = static_cast<std::uint64_t>(saturating_since(now, filled_).count());
  filled_ = now;
  const std::uint64_t periods = passed / per_;
  const std::uint64_t room = burst_ - tokens_;
  part_ += passed % per_ * count_;
  if (periods <= room) {  // so that the product is small; if not, more than enough has come in
    const std::uint64_t come = periods * count_ + part_ / per_;
    part_ %= per_;
    if (come < room) {
      tokens_ += static_cast<std::uint32_t>(come);
      return;
    }
  }
  tokens_ = burst_;
  part_ = 0;
}

instant token_bucket::when(std::uint32_t n) const noexcept {
  if (n <= tokens_) return filled_;
  // Whole periods, and the rest of them in units of 1 / per_, of which count_ come in each nanosecond.
  const std::uint64_t lacking = n - tokens_;
  std::uint64_t periods = lacking / count_;
  std::uint64_t rest = lacking % count_ * per_;
  if (rest < part_) {
    --periods;  // there is one: a rest alone is at least a whole token, which part_ is not
    rest += count_ * per_;
  }
  const std::uint64_t units = rest - part_;
  const auto last = static_cast<duration::rep>(units / count_ + (units % count_ != 0));
  duration::rep whole = 0;
  if (__builtin_mul_overflow(periods, per_, &whole)) return instant::max();
  return saturating_add(saturating_add(filled_, duration(whole)), duration(last));
}

}  // namespace detail

void rate_limiter::check(std::uint32_t n) const {
  if (n > bucket_.burst()) detail::misuse("rate_limiter: more than its burst never comes at once");
}

bool rate_limiter::try_acquire(std::uint32_t n) {
  check(n);
  const instant now = clock::now();
  const detail::locked lock(lock_);
  bucket_.fill(now);
  if (!waiting_.empty() || bucket_.tokens() < n) return false;
  bucket_.take(n);
  return true;
}

std::uint32_t rate_limiter::available() noexcept {
  const instant now = clock::now();
  const detail::locked lock(lock_);
  bucket_.fill(now);
  return bucket_.tokens();
}

// Tokens are taken by the first in the queue, in its own poll, and by nobody for it: so a drop has nothing to
// give back. Whoever leaves the front wakes the next, who then sets its timer.
rate_limiter::answer rate_limiter::poll(waiter& w, std::uint32_t n, context& cx,
                                        instant& due) noexcept {
  const instant now = clock::now();
  waker old;  // dropped behind the lock
  detail::locked lock(lock_);
  if (!w.linked() && !waiting_.empty()) waiting_.push_back(w);
  if (w.linked() && waiting_.front() != &w) {
    if (!cx.wakes_same(w.who)) old = std::exchange(w.who, cx.get_waker());
    return answer::behind;
  }
  bucket_.fill(now);
  if (bucket_.tokens() >= n) {
    if (!cx.proceed()) {  // it has woken itself, and has its place
      if (!w.linked()) waiting_.push_back(w);
      return answer::behind;
    }
    bucket_.take(n);
    if (w.linked()) leave_and_wake_next(w, lock);
    return answer::taken;
  }
  if (!w.linked()) waiting_.push_back(w);
  std::swap(old, w.who);  // its timer has the waker
  due = bucket_.when(n);
  return answer::first;
}

void rate_limiter::leave(waiter& w) noexcept {
  detail::locked lock(lock_);
  leave_and_wake_next(w, lock);
}

void rate_limiter::leave_and_wake_next(waiter& w, detail::locked<>& lock) noexcept {
  const bool was_first = waiting_.front() == &w;
  waiting_.erase(w);
  waiter* const first = waiting_.front();
  waker next = was_first && first != nullptr ? std::move(first->who) : waker();
  lock.unlock();
  std::move(next).wake();
}

}}  // namespace eddy::EDDY_ABI
