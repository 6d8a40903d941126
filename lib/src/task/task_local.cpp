#include <eddy/task/task_local.hpp>

// Found and changed by functions that are not inline: a coroutine's body must not keep a thread's address
// across an await.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {
[[gnu::tls_model("initial-exec")]] constinit thread_local local_entry* innermost = nullptr;
}  // namespace

local_entry::local_entry(const void* key, void* value) noexcept
    : key_(key), value_(value), outer_(innermost) {
  innermost = this;
}

local_entry::~local_entry() { innermost = outer_; }

void* local_entry::find(const void* key) noexcept {
  for (const local_entry* e = innermost; e != nullptr; e = e->outer_)
    if (e->key_ == key) return e->value_;
  return nullptr;
}

}}}  // namespace eddy::EDDY_ABI::detail
