#pragma once
// What spawning asks of the runtime layer, which defines these: the loop of a runtime that a task starts on.

#include <cstdint>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

class scheduler;

/// The runtime this thread is on. Throws misuse that begins with `operation` when there is none.
scheduler& current_runtime(const char* operation);

/// Keeps one loop of a runtime alive. The constructors throw misuse.
class loop_place {
 public:
  /// The loop that a `block_on` from this thread runs its future on.
  explicit loop_place(scheduler& runtime);
  /// The loop of one worker.
  loop_place(scheduler& runtime, std::uint32_t worker);
  loop_place(const loop_place&) = delete;
  ~loop_place();
  scheduler& loop() const noexcept { return loop_; }

 private:
  scheduler& loop_;
};

/// Makes this thread the owner while a host's thread calls into its attached runtime; otherwise does nothing.
class host_scope {
 public:
  explicit host_scope(scheduler& s) noexcept;
  host_scope(const host_scope&) = delete;
  ~host_scope();

 private:
  alignas(8) unsigned char before_[32];
  scheduler* entered_;
};

}}}  // namespace eddy::EDDY_ABI::detail
