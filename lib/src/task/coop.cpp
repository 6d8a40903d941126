#include <eddy/task/coop.hpp>

#include "task/scheduler.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

const coop_budget* budget_here() noexcept {
  const auto* const s = this_thread().driving;
  return s != nullptr ? &s->budget : nullptr;
}

}}}  // namespace eddy::EDDY_ABI::detail
