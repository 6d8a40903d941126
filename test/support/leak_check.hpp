#pragma once

#include <eddy/testing/doctest.hpp>
#include <eddy/testing/leak_check.hpp>

namespace test {
using eddy::test::leak_check;
using eddy::test::open_descriptors;
}  // namespace test
