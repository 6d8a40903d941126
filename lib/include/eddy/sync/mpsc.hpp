#pragma once

/// Channels of many senders and one receiver: `channel<T>(n)` and `unbounded_channel<T>()`.

#include <eddy/sync/mpsc_bounded.hpp>
#include <eddy/sync/mpsc_permit.hpp>
#include <eddy/sync/mpsc_unbounded.hpp>
