#pragma once

#include <eddy/testing/cut_points.hpp>
#include <eddy/testing/doctest.hpp>

#include "support/leak_check.hpp"
#include "support/runtime_access.hpp"

namespace test {
using eddy::test::cut_points;
}
