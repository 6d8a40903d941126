#include <eddy/sync/cancellation_token.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>

#include <eddy/base/detail/frame_pool.hpp>
#include <eddy/base/detail/list.hpp>
#include <eddy/base/detail/lock.hpp>
#include <eddy/base/detail/memory.hpp>
#include <eddy/base/detail/misuse.hpp>

// The tree behind cancellation tokens.
//
// I1  One lock a tree: that of the node the tree began with. Every node keeps that node's memory, so the lock
//     lives as long as any of them, also when the tree has fallen apart into several.
// I2  `parent`, `children` and a node's place in a list are under the lock, until the node is cancelled. From
//     then on it has neither parent nor children, and the link is the canceller's alone, for its list of nodes
//     to tell.
// I3  `cancelled` is set under the lock and read without it. Who waits is told behind the lock; a wait that
//     comes in between sees the flag, or the count that telling raises (notify_core.hpp I2).
// I4  A node without handles is in no tree: its children have become its parent's, so that chains of children
//     do not grow.
// I5  `memory` counts the handles as one, each node that has this one's lock, and a canceller at work.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct cancel_node : list_node {
  explicit cancel_node(cancel_node* tree) noexcept : first(tree != nullptr ? tree : this) {}

  list<cancel_node> children;
  cancel_node* parent = nullptr;
  cancel_node* const first;  // whose lock it is
  basic_notify<sync_memory> waiting;
  sync_lock own_lock;
  sync_memory::atomic<std::uint32_t> handles{1};  // partners: retain, release
  sync_memory::atomic<std::uint32_t> memory{1};   // partner: forget
  sync_memory::atomic<bool> cancelled{false};     // partners: cancel_tree, cancel_asked

  sync_lock& lock() noexcept { return first->own_lock; }
};

namespace {

cancel_node* make_node(cancel_node* tree) {
  void* p = frame_allocate(sizeof(cancel_node));
  if (p == nullptr) fatal("out of memory");
  if (tree != nullptr) count_up<sync_memory>(tree->memory);
  return ::new (p) cancel_node(tree);
}

void forget(cancel_node& n) noexcept {
  if (!count_down<sync_memory>(n.memory)) return;
  auto* const first = n.first;
  std::destroy_at(&n);
  frame_release(&n, sizeof(n));
  if (first != &n) forget(*first);
}

void adopt(cancel_node& parent, cancel_node& child) noexcept {
  child.parent = &parent;
  parent.children.push_back(child);
}

/// Takes a node without handles out of its tree (I4).
void detach(cancel_node& n) noexcept {
  const locked held(n.lock());
  if (n.cancelled.load(std::memory_order_relaxed)) return;
  if (n.parent != nullptr) list<cancel_node>::erase(n);
  while (auto* const child = n.children.pop_front()) {
    child->parent = nullptr;
    if (n.parent != nullptr) adopt(*n.parent, *child);
  }
}

}  // namespace

cancel_node* cancel_root() { return make_node(nullptr); }

cancel_node* cancel_child(cancel_node& parent) {
  auto* const child = make_node(parent.first);
  const locked held(parent.lock());
  if (parent.cancelled.load(std::memory_order_relaxed))
    child->cancelled.store(true, std::memory_order_relaxed);
  else
    adopt(parent, *child);
  return child;
}

void cancel_retain(cancel_node& n) noexcept { count_up<sync_memory>(n.handles); }

void cancel_release(cancel_node& n) noexcept {
  if (!count_down<sync_memory>(n.handles)) return;
  detach(n);
  forget(n);
}

void cancel_tree(cancel_node& n) noexcept {
  list<cancel_node> told;
  {
    const locked held(n.lock());
    if (n.cancelled.load(std::memory_order_relaxed)) return;
    if (n.parent != nullptr) list<cancel_node>::erase(n);
    told.push_back(n);
    for (auto* each = &n; each != nullptr; each = told.after(*each)) {
      each->parent = nullptr;
      told.splice_back(each->children);
      count_up<sync_memory>(each->memory);
      each->cancelled.store(true, std::memory_order_release);
    }
  }
  while (auto* const each = told.pop_front()) {
    each->waiting.tell_all();
    forget(*each);
  }
}

bool cancel_asked(const cancel_node& n) noexcept {
  return n.cancelled.load(std::memory_order_acquire);
}

bool cancel_poll(cancel_node& n, notify_waiter<sync_memory>& at, context& cx) noexcept {
  if (cancel_asked(n)) return cx.proceed();
  return n.waiting.poll(at, cx);
}

void cancel_leave(cancel_node& n, notify_waiter<sync_memory>& at) noexcept { n.waiting.leave(at); }

}}}  // namespace eddy::EDDY_ABI::detail
