#pragma once

#include <eddy/test/doctest.hpp>
#include <eddy/test/mock_task.hpp>

namespace test {
using eddy::test::mock_task;
}
