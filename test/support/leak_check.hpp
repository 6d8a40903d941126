#pragma once

#include <eddy/test/doctest.hpp>
#include <eddy/test/leak_check.hpp>

namespace test {
using eddy::test::leak_check;
using eddy::test::open_descriptors;
}  // namespace test
