#pragma once
// Where other threads put what the one owner is to take over: a stack that is taken whole.
//
// I1  Whoever pushes an item touches it no more: the owner may have it, and have given it back, at once.
// I2  The owner says that it will sleep, and looks at `is_filled` after that; who pushes looks whether it sleeps
//     after that. Both sides are seq_cst: one of the two sees the other.
//
// A template over the memory for the model checker (test/model). An item has a member `inbox_next`.

#include <atomic>
#include <utility>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// A list turned round; `next(node)` is its link.
template <class Node, class Next>
Node* reversed(Node* head, Next next) noexcept {
  Node* out = nullptr;
  while (head != nullptr) {
    Node* const n = std::exchange(next(*head), out);
    out = std::exchange(head, n);
  }
  return out;
}

template <class Memory, class T>
class basic_inbox {
 public:
  basic_inbox() noexcept = default;
  basic_inbox(const basic_inbox&) = delete;
  basic_inbox& operator=(const basic_inbox&) = delete;

  /// Any thread.
  void push(T& item) noexcept {
    T* head = head_.load(std::memory_order_relaxed);
    do item.inbox_next = head;
    while (!head_.compare_exchange_weak(head, &item, std::memory_order_seq_cst,
                                        std::memory_order_relaxed));
  }
  /// Before a sleep: I2.
  bool is_filled() const noexcept { return head_.load(std::memory_order_seq_cst) != nullptr; }
  /// Owner: all of them, linked by `inbox_next`, in the order they came.
  T* take_all() noexcept {
    if (head_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    return reversed(head_.exchange(nullptr, std::memory_order_acquire),
                    [](T& item) -> T*& { return item.inbox_next; });
  }

 private:
  typename Memory::template atomic<T*> head_{nullptr};  // partners: here, I2
};

}}}  // namespace eddy::EDDY_ABI::detail
