#pragma once
// Many branches in one task, each polled only when it was woken itself: select_any, join_all, scope,
// join_set and for_each_concurrent are made of it.
//
// I1  A node is a block of its own, counted by its set and by the wakers that leaves have stored. The set
//     destroys the branch when it has ended or is dropped; the block stays until the last waker is gone.
// I2  `ready_list` is counted by the set and by its nodes. A node is in it at most once, and only while
//     the set holds the node: the set takes it out before it lets go. Its links are under the list's lock.
// I3  The task's waker is stored before the list is looked at, and moved out by the wake that follows, so
//     one poll of the task answers any number of wakes.
// I4  One poll of the set polls at most as many nodes as were woken when it began: a branch that wakes
//     itself, or was added meanwhile, is polled by the task's next poll, behind other tasks.
// I5  Without budget no node is taken: each would only find that out and queue itself again, and to get
//     through n ready ones would cost n * n polls. A future that ends spends a unit; leaves do so themselves.
// I6  The list lives as long as any node does, maybe held by a waker somewhere. So who leaves the set, or
//     ends it, takes the task's waker out: nothing of the task is held by what a stranger keeps.
//
// Threads: wakes come from any; the rest is the task's.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/base/detail/list.hpp>
#include <eddy/base/detail/lock.hpp>
#include <eddy/base/detail/memory.hpp>
#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>
#include <eddy/core/context.hpp>
#include <eddy/core/detail/branch.hpp>
#include <eddy/core/detail/chain.hpp>
#include <eddy/core/waker.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class set_node;

/// The woken nodes of one set, and the task to wake for them.
class ready_list {
 public:
  static ready_list* make();
  void retain() noexcept { count_up<shared_memory>(refs_); }
  void release() noexcept;

  /// Any thread.
  void push(set_node& n) noexcept;
  // The rest: the set.
  /// Whom to wake from now on; how many nodes are ready.
  std::size_t watch(context& cx) noexcept;
  /// Whoever it was is not to be woken any more; with a `target`, only if it was that one.
  void forget(target_word target = 0) noexcept;
  std::size_t count() noexcept;
  set_node* pop() noexcept;
  /// Puts the first `n` behind the rest.
  void rotate(std::size_t n) noexcept;
  void remove(set_node& n) noexcept;

 private:
  ready_list() noexcept = default;
  ~ready_list() = default;
  basic_lock<shared_memory> lock_;  // in every build: a waker may be on another thread
  list<set_node> ready_;            // under lock_
  std::size_t count_ = 0;           // under lock_
  waker task_;                      // under lock_
  shared_memory::atomic<std::uint32_t> refs_{1};  // partners: retain, release
};

/// What does not depend on the branch's type. The list_node is the ready list's.
class set_node : public wake_target, public list_node {
 public:
  void wake() noexcept final;
  void retain() noexcept final { count_up<shared_memory>(refs_); }
  void release() noexcept final;

  set_node* before = nullptr;  // neighbours in the set
  set_node* after = nullptr;
  std::size_t key = 0;  // given by the set's user

 protected:
  set_node(ready_list& home, std::size_t bytes) noexcept
      : home_(&home), bytes_(static_cast<std::uint32_t>(bytes)) {}
  ~set_node() = default;

 private:
  friend class ready_list;
  ready_list* home_;                              // counted, once the node is in the set
  shared_memory::atomic<std::uint32_t> refs_{1};  // partners: retain, release
  std::uint32_t bytes_;
  bool held_ = true;  // by the set; under the list's lock
};

/// What a future that has ended costs of the budget, if it has spent nothing itself (I5).
inline void spend(context& cx) noexcept {
  if (coop_budget* const b = context_access::budget(cx); b != nullptr && b->left != 0) --b->left;
}

/// Branches of type X, a future or leaf, or a reference to a leaf that is left alive.
template <class X>
class branch_set {
  using inner = branch<X>;

 public:
  using value_type = typename inner::value_type;

  /// A branch that has ended.
  class ended {
   public:
    ended(std::size_t which, result<value_type>&& r) : key(which), outcome(std::move(r)) {}
    std::size_t key;
    result<value_type> outcome;
  };

  branch_set() noexcept = default;
  branch_set(branch_set&& other) noexcept
      : ready_(std::exchange(other.ready_, nullptr)),
        first_(std::exchange(other.first_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  branch_set& operator=(branch_set&& other) noexcept {
    std::swap(ready_, other.ready_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~branch_set() {
    clear();
    if (ready_ == nullptr) return;
    ready_->forget();
    ready_->release();
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  /// Adds a branch; it is polled by the next poll.
  void insert(std::size_t key, X&& x) {
    static_assert(alignof(node) <= 64, "eddy: a branch has alignment 64 at most");
    if (ready_ == nullptr) ready_ = ready_list::make();
    void* memory = frame_allocate(sizeof(node));
    if (memory == nullptr) fatal("out of memory");
    node* n = nullptr;
#if EDDY_EXCEPTIONS
    try {
#endif
      n = ::new (memory) node(*ready_, std::forward<X>(x));
#if EDDY_EXCEPTIONS
    } catch (...) {
      frame_release(memory, sizeof(node));
      throw;
    }
#endif
    ready_->retain();
    n->key = key;
    n->after = first_;
    if (first_ != nullptr) first_->before = n;
    first_ = n;
    ++size_;
    ready_->push(*n);
  }

  /// What is ready is polled from its `n`th on.
  void rotate(std::size_t n) noexcept {
    if (ready_ != nullptr) ready_->rotate(n);
  }

  /// Polls what was woken until one has ended. Nothing when there is no branch at all.
  polled<std::optional<ended>> poll_next(context& cx) noexcept {
    polled<std::optional<ended>> out = pending;
    if (empty()) out.emplace();
    const auto end = [&](auto&&... parts) {
      out.emplace(std::in_place, std::forward<decltype(parts)>(parts)...);
    };
    for (auto left = empty() ? 0 : ready_->watch(cx); left != 0 && !out; --left) {
      if (!cx.may_poll()) break;
      set_node* const n = ready_->pop();
      if (n == nullptr) break;
      context own(cx, *n);
      poll_one(*static_cast<node*>(n), own, end);
    }
    return out;  // the only return, so that nothing is moved
  }
  /// The same without waiting for another.
  std::optional<ended> try_next() noexcept {
    std::optional<ended> out;
    const auto end = [&](auto&&... parts) { out.emplace(std::forward<decltype(parts)>(parts)...); };
    for (auto left = empty() ? 0 : ready_->count(); left != 0 && !out; --left) {
      set_node* const n = ready_->pop();
      if (n == nullptr) break;
      context own(*n);
      poll_one(*static_cast<node*>(n), own, end);
    }
    return out;
  }
  /// What was polled with this target waits no more: it is not woken.
  void forget(target_word target) noexcept {
    if (ready_ != nullptr) ready_->forget(target);
  }
  /// Destroys every branch, the newest first.
  void clear() noexcept {
    while (first_ != nullptr) erase(*static_cast<node*>(first_));
  }
  /// Calls `f(X's branch)` for each.
  template <class F>
  void for_each(F f) {
    for (auto* n = first_; n != nullptr; n = n->after) f(*static_cast<node*>(n)->work);
  }

 private:
  class node final : public set_node {
   public:
    node(ready_list& home, X&& x)
        : set_node(home, sizeof(node)), work(std::in_place, std::forward<X>(x)) {}
    std::optional<inner> work;
  };

  /// If it has ended: it is gone, and `end` was called with the parts of an `ended`.
  template <class End>
  void poll_one(node& n, context& cx, const End& end) noexcept {
    auto p = n.work->poll(cx);
    if (!p) return;
    if constexpr (is_future_v<X>) spend(cx);
    const auto key = n.key;
    erase(n);
    if (!p->has_value()) {
      end(key, result<value_type>(to_error(std::move(*p).error())));
      return;
    }
#if EDDY_EXCEPTIONS
    try {
#endif
      if constexpr (std::is_void_v<value_type>)
        end(key, result<value_type>());
      else if constexpr (std::is_reference_v<value_type>)
        end(key, result<value_type>(**p));
      else
        end(key, result<value_type>(std::in_place, *std::move(*p)));
#if EDDY_EXCEPTIONS
    } catch (...) {
      end(key, result<value_type>(error::current_exception()));
    }
#endif
  }

  void erase(node& n) noexcept {
    (n.before != nullptr ? n.before->after : first_) = n.after;
    if (n.after != nullptr) n.after->before = n.before;
    --size_;
    ready_->remove(n);
    n.work.reset();
    n.release();
  }

  ready_list* ready_ = nullptr;  // made with the first branch
  set_node* first_ = nullptr;
  std::size_t size_ = 0;
};

}}}  // namespace eddy::EDDY_ABI::detail
