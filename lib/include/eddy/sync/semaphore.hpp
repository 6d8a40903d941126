#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/poll.hpp>
#include <eddy/sync/detail/semaphore_core.hpp>
#include <eddy/task/detail/thread_waiter.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace sync {
class semaphore;
}}}  // namespace eddy::EDDY_ABI::sync

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A count of permits that a user gave, checked: misuse when it is more than there can be.
std::uint32_t permit_count(std::size_t n);

/// How a permit or a guard holds on to what it belongs to: by reference, or by a share of it.
template <class Holder>
class semaphore_acquire;

struct semaphore_access;

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

/// Permits taken from a semaphore, given back when this is destroyed. `Holder` is how it holds the
/// semaphore: see `semaphore_permit` and `owned_semaphore_permit`.
///
/// Lifetime: a `semaphore_permit` must not outlive its semaphore; an `owned_semaphore_permit` keeps it.
template <class Holder>
class [[nodiscard]] basic_semaphore_permit {
 public:
  basic_semaphore_permit(basic_semaphore_permit&& other) noexcept
      : of_(std::move(other.of_)), count_(std::exchange(other.count_, 0)) {}
  basic_semaphore_permit& operator=(basic_semaphore_permit&& other) noexcept {
    basic_semaphore_permit taken(std::move(other));  // what was held goes back at once
    std::swap(of_, taken.of_);
    std::swap(count_, taken.count_);
    return *this;
  }
  ~basic_semaphore_permit();

  /// How many permits this is.
  std::size_t count() const noexcept { return count_; }
  /// Keeps them from ever being given back: the semaphore has so many fewer from now on.
  void forget() noexcept { count_ = 0; }
  /// Takes over the permits of `other`.
  /// Errors: permits of another semaphore, and more than `max_permits`, are misuse.
  void merge(basic_semaphore_permit other);
  /// Splits `n` permits off; nothing when this has fewer.
  std::optional<basic_semaphore_permit> split(std::size_t n);

 private:
  template <class>
  friend class detail::semaphore_acquire;
  friend semaphore;
  basic_semaphore_permit(Holder of, std::uint32_t count) noexcept
      : of_(std::move(of)), count_(count) {}

  Holder of_;
  std::uint32_t count_;
};

/// What `acquire` gives; borrows the semaphore.
using semaphore_permit = basic_semaphore_permit<semaphore*>;
/// What `acquire_owned` gives; shares the semaphore.
using owned_semaphore_permit = basic_semaphore_permit<std::shared_ptr<semaphore>>;

/// A number of permits that tasks take and give back.
///
/// First come, first served: who asks for many is not overtaken by who asks for few. `try_acquire`
/// takes what is free, and while somebody waits nothing is.
/// Threads: any; in a build without the pool one loop's.
/// Lifetime: outlives every call on it, and every permit but the owned ones.
class semaphore {
 public:
  /// More permits than this cannot be.
  static constexpr std::size_t max_permits = detail::permits::most;

  /// Errors: more than `max_permits` is misuse.
  explicit semaphore(std::size_t count) : permits_(detail::permit_count(count)) {}

  /// Free permits, just now.
  std::size_t available_permits() const noexcept { return permits_.available(); }
  /// Waits for one permit, or for `n` at once.
  ///
  /// Cancel safety: only the place in the queue is lost; permits that have been granted go back.
  /// Errors: `errc::closed` when the semaphore is or gets closed; `n` above `max_permits` is misuse.
  /// Cost: no allocation; one compare-and-swap when there are enough.
  detail::semaphore_acquire<semaphore*> acquire() noexcept;
  detail::semaphore_acquire<semaphore*> acquire_many(std::size_t n);
  /// The permits if they are free, else an error equal to `std::errc::operation_would_block`, or
  /// `errc::closed`.
  result<semaphore_permit> try_acquire() noexcept { return try_acquire_many(1); }
  result<semaphore_permit> try_acquire_many(std::size_t n);
  /// The same with permits that keep the semaphore: they may outlive everything else that does.
  /// Cancel safety, Errors, Cost: as `acquire`.
  static detail::semaphore_acquire<std::shared_ptr<semaphore>> acquire_owned(
      std::shared_ptr<semaphore> s) noexcept;
  /// As `acquire_many`, with permits that keep the semaphore.
  static detail::semaphore_acquire<std::shared_ptr<semaphore>> acquire_many_owned(
      std::shared_ptr<semaphore> s, std::size_t n);
  /// As `try_acquire`, with permits that keep the semaphore.
  static result<owned_semaphore_permit> try_acquire_owned(std::shared_ptr<semaphore> s) noexcept {
    return try_acquire_many_owned(std::move(s), 1);
  }
  /// As `try_acquire_many`, with permits that keep the semaphore.
  static result<owned_semaphore_permit> try_acquire_many_owned(std::shared_ptr<semaphore> s,
                                                               std::size_t n);
  /// Waits on an ordinary thread. Absent in a build without the pool.
  /// Errors: `errc::closed`; misuse on a thread that runs a loop, and as `acquire_many`.
  template <class Self = semaphore>
  result<semaphore_permit> blocking_acquire() {
    return blocking_acquire_many<Self>(1);
  }
  template <class Self = semaphore>
  result<semaphore_permit> blocking_acquire_many(std::size_t n);
  /// As `blocking_acquire`, with permits that keep the semaphore.
  template <class Self = semaphore>
  static result<owned_semaphore_permit> blocking_acquire_owned(std::shared_ptr<semaphore> s) {
    return blocking_acquire_many_owned<Self>(std::move(s), 1);
  }
  /// As `blocking_acquire_many`, with permits that keep the semaphore.
  template <class Self = semaphore>
  static result<owned_semaphore_permit> blocking_acquire_many_owned(std::shared_ptr<semaphore> s,
                                                                    std::size_t n);

  /// Adds `n` permits. Errors: more than `max_permits` in all ends the program with one line.
  void add(std::size_t n) { permits_.give(detail::permit_count(n)); }
  /// Takes up to `n` free permits away for good; how many it were.
  std::size_t forget(std::size_t n) noexcept {
    return permits_.take_free(static_cast<std::uint32_t>(n < max_permits ? n : max_permits));
  }
  /// From now on every acquire fails with `errc::closed`, those that wait too. Permits may still be
  /// given back.
  void close() noexcept { permits_.close(); }
  /// True once it is closed.
  bool is_closed() const noexcept { return permits_.is_closed(); }

 private:
  friend detail::semaphore_access;
  detail::permits permits_;
};

}}}  // namespace eddy::EDDY_ABI::sync

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct semaphore_access {
  static permits& of(sync::semaphore& s) noexcept { return s.permits_; }
};
error no_permits(permit_answer why) noexcept;
error acquired_before() noexcept;

/// Waits for permits.
template <class Holder>
class [[nodiscard]] semaphore_acquire {
 public:
  using permit_type = sync::basic_semaphore_permit<Holder>;

  semaphore_acquire(Holder s, std::uint32_t count) noexcept : slot_(count), of_(std::move(s)) {}
  semaphore_acquire(semaphore_acquire&& other) noexcept
      : slot_(std::move(other.slot_)), of_(std::exchange(other.of_, nullptr)) {}
  semaphore_acquire& operator=(semaphore_acquire&&) = delete;
  ~semaphore_acquire() {
    if (of_ != nullptr) semaphore_access::of(*of_).leave(slot_);
  }

  polled<result<permit_type>> poll(context& cx) noexcept {
    if (of_ == nullptr) [[unlikely]]
      return fail(acquired_before());
    switch (semaphore_access::of(*of_).poll(slot_, cx)) {
      case permit_answer::pending:
        return pending;
      case permit_answer::taken:
        return result<permit_type>(permit_type(std::exchange(of_, nullptr), slot_.wanted()));
      default:
        of_ = nullptr;
        return fail(no_permits(permit_answer::closed));
    }
  }

 private:
  [[gnu::noinline, gnu::cold]] static polled<result<permit_type>> fail(error why) noexcept {
    return result<permit_type>(std::move(why));
  }

  permits::slot slot_;
  Holder of_;  // null: it has ended
};

}}}  // namespace eddy::EDDY_ABI::detail

namespace eddy { inline namespace EDDY_ABI { namespace sync {

template <class Holder>
basic_semaphore_permit<Holder>::~basic_semaphore_permit() {
  if (count_ != 0) detail::semaphore_access::of(*of_).give(count_);
}

template <class Holder>
void basic_semaphore_permit<Holder>::merge(basic_semaphore_permit other) {
  if (of_ != other.of_) detail::misuse("permits of two semaphores cannot be merged");
  if (other.count_ > semaphore::max_permits - count_)
    detail::misuse("more permits than semaphore::max_permits");
  count_ += std::exchange(other.count_, 0);
}

template <class Holder>
std::optional<basic_semaphore_permit<Holder>> basic_semaphore_permit<Holder>::split(std::size_t n) {
  if (n > count_) return std::nullopt;
  count_ -= static_cast<std::uint32_t>(n);
  return basic_semaphore_permit(of_, static_cast<std::uint32_t>(n));
}

inline detail::semaphore_acquire<semaphore*> semaphore::acquire() noexcept {
  return detail::semaphore_acquire<semaphore*>(this, 1);
}
inline detail::semaphore_acquire<semaphore*> semaphore::acquire_many(std::size_t n) {
  return detail::semaphore_acquire<semaphore*>(this, detail::permit_count(n));
}
inline detail::semaphore_acquire<std::shared_ptr<semaphore>> semaphore::acquire_owned(
    std::shared_ptr<semaphore> s) noexcept {
  return detail::semaphore_acquire<std::shared_ptr<semaphore>>(std::move(s), 1);
}
inline detail::semaphore_acquire<std::shared_ptr<semaphore>> semaphore::acquire_many_owned(
    std::shared_ptr<semaphore> s, std::size_t n) {
  return detail::semaphore_acquire<std::shared_ptr<semaphore>>(std::move(s),
                                                               detail::permit_count(n));
}

inline result<semaphore_permit> semaphore::try_acquire_many(std::size_t n) {
  const auto count = detail::permit_count(n);
  const auto answer = permits_.try_take(count);
  if (answer != detail::permit_answer::taken) return detail::no_permits(answer);
  return semaphore_permit(this, count);
}
inline result<owned_semaphore_permit> semaphore::try_acquire_many_owned(
    std::shared_ptr<semaphore> s, std::size_t n) {
  const auto count = detail::permit_count(n);
  const auto answer = s->permits_.try_take(count);
  if (answer != detail::permit_answer::taken) return detail::no_permits(answer);
  return owned_semaphore_permit(std::move(s), count);
}

// Templates, so that only their use fails without the pool.
template <class Self>
result<semaphore_permit> semaphore::blocking_acquire_many(std::size_t n) {
  detail::semaphore_acquire<Self*> waiting(this, detail::permit_count(n));
  return detail::block_thread("semaphore::blocking_acquire", waiting).take();
}
template <class Self>
result<owned_semaphore_permit> semaphore::blocking_acquire_many_owned(std::shared_ptr<semaphore> s,
                                                                      std::size_t n) {
  detail::semaphore_acquire<std::shared_ptr<Self>> waiting(std::move(s), detail::permit_count(n));
  return detail::block_thread("semaphore::blocking_acquire", waiting).take();
}

}}}  // namespace eddy::EDDY_ABI::sync
