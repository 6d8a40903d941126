#pragma once

#include <eddy/testing/doctest.hpp>
#include <eddy/testing/mock_task.hpp>

namespace test {
using eddy::test::mock_task;
}
