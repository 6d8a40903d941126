#pragma once
// An intrusive, circular, doubly linked list. Wait lists, run queues, the timer wheel and the slabs
// link through it.
//
// I1  A node is in at most one list; `next == nullptr` means in none, and then `prev` is null too.
// I2  A linked node never moves: its neighbours point at it. Moving is legal before the node is
//     linked.
// I3  A node leaves its list without knowing which list that is, so a destructor of a leaf needs no
//     back pointer.
//
// Threads: none of its own; whoever owns the list (a thread or a lock) owns every node in it.

#include <cassert>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A link in a `list`; derive from it to be listed.
///
/// The destructor does not unlink: most nodes are guarded by a lock or belong to another structure
/// that counts them, and an implicit unlink would take them out behind its back. It asserts
/// instead.
///
/// Lifetime: must be unlinked before it is destroyed or moved.
struct list_node {
  list_node* prev = nullptr;
  list_node* next = nullptr;

  constexpr list_node() noexcept = default;
  constexpr list_node([[maybe_unused]] list_node&& other) noexcept { assert(!other.linked()); }
  list_node& operator=(list_node&&) = delete;
#ifndef NDEBUG
  constexpr ~list_node() { assert(!linked()); }
#endif

  /// Whether the node is in a list.
  [[nodiscard]] constexpr bool linked() const noexcept { return next != nullptr; }

  /// Takes the node out of its list. It must be in one.
  constexpr void unlink() noexcept {
    assert(linked());
    prev->next = next;
    next->prev = prev;
    prev = nullptr;
    next = nullptr;
  }
};

/// A list of `T`, which derives from `list_node`. Owns nothing.
///
/// Lifetime: must be empty when it is destroyed. Every operation is O(1).
template <class T>
class list {
 public:
  constexpr list() noexcept { reset(); }
  constexpr list(list&& other) noexcept {
    reset();
    splice_back(other);
  }
  list& operator=(list&&) = delete;
  constexpr ~list() {
    assert(empty());
    head_.prev = nullptr;
    head_.next = nullptr;
  }

  [[nodiscard]] constexpr bool empty() const noexcept { return head_.next == &head_; }

  constexpr void push_back(T& item) noexcept {
    list_node* const node = &item;
    assert(!node->linked());
    node->prev = head_.prev;
    node->next = &head_;
    head_.prev->next = node;
    head_.prev = node;
  }

  constexpr void push_front(T& item) noexcept {
    list_node* const node = &item;
    assert(!node->linked());
    node->prev = &head_;
    node->next = head_.next;
    head_.next->prev = node;
    head_.next = node;
  }

  /// The first item, taken out; null when the list is empty.
  constexpr T* pop_front() noexcept {
    list_node* const node = head_.next;
    if (node == &head_) return nullptr;
    head_.next = node->next;
    node->next->prev = &head_;
    node->prev = nullptr;
    node->next = nullptr;
    return static_cast<T*>(node);
  }

  /// The first item; null when the list is empty.
  [[nodiscard]] constexpr T* front() const noexcept {
    return head_.next == &head_ ? nullptr : static_cast<T*>(head_.next);
  }

  /// The last item; null when the list is empty.
  [[nodiscard]] constexpr T* back() const noexcept {
    return head_.next == &head_ ? nullptr : static_cast<T*>(head_.prev);
  }

  /// The item behind `item`; null behind the last. `front` and `after` are the way to walk a list.
  [[nodiscard]] constexpr T* after(const T& item) const noexcept {
    list_node* const node = static_cast<const list_node&>(item).next;
    return node == &head_ ? nullptr : static_cast<T*>(node);
  }

  /// Moves everything `other` holds behind the last item, in order.
  constexpr void splice_back(list& other) noexcept {
    list_node* const first = other.head_.next;
    list_node* const last = other.head_.prev;
    if (first == &other.head_) return;
    first->prev = head_.prev;
    head_.prev->next = first;
    last->next = &head_;
    head_.prev = last;
    other.reset();
  }

  /// Takes `item` out of the list it is in.
  static constexpr void erase(T& item) noexcept { item.list_node::unlink(); }

 private:
  constexpr void reset() noexcept {
    head_.prev = &head_;
    head_.next = &head_;
  }

  list_node head_;
};

}}}  // namespace eddy::EDDY_ABI::detail
