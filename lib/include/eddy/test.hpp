#pragma once

/// The test kit: a clock in the test's hands, tasks stepped by hand, streams in memory, and a check that what is
/// cancelled anywhere leaves nothing. It needs no test framework; `<eddy/test/doctest.hpp>` is the bridge to one.

#include <eddy/io/duplex.hpp>
#include <eddy/test/clock.hpp>
#include <eddy/test/cut_points.hpp>
#include <eddy/test/flavour.hpp>
#include <eddy/test/leak_check.hpp>
#include <eddy/test/mock_task.hpp>
#include <eddy/test/report.hpp>
#include <eddy/test/seed.hpp>
