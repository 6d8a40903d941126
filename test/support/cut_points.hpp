#pragma once

#include <eddy/test/cut_points.hpp>
#include <eddy/test/doctest.hpp>

#include "support/leak_check.hpp"
#include "support/runtime_access.hpp"

namespace test {
using eddy::test::cut_points;
}
