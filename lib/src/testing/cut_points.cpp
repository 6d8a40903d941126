#include <eddy/testing/cut_points.hpp>

#include <eddy/testing/seed.hpp>

#include "runtime/loop.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace test::detail {

bool run_polls(runtime& rt, eddy::detail::join_link& link, std::uint64_t polls) {
  eddy::detail::loop::from(eddy::detail::runtime_access::of(rt)).drive_until(link, polls);
  return link.is_filled();
}

runtime paused_runtime() { return runtime::builder().rng_seed(seed()).start_paused().build(); }

}}}  // namespace eddy::EDDY_ABI::test::detail
