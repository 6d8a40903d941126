#pragma once

/// The test kit: a clock in the test's hands, tasks stepped by hand, streams in memory, and a check that what is
/// cancelled anywhere leaves nothing. It needs no test framework; `<eddy/testing/doctest.hpp>` is the bridge to one.

#include <eddy/io/duplex.hpp>
#include <eddy/testing/clock.hpp>
#include <eddy/testing/cut_points.hpp>
#include <eddy/testing/flavour.hpp>
#include <eddy/testing/leak_check.hpp>
#include <eddy/testing/mock_task.hpp>
#include <eddy/testing/report.hpp>
#include <eddy/testing/seed.hpp>
