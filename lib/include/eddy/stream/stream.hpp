#pragma once

/// Streams: the concept, what all of them can do, and the adapters. Where streams come from is in
/// `stream_of.hpp`, `generator.hpp` and `stream_map.hpp`; `<eddy/stream.hpp>` has all.

#include <eddy/stream/base.hpp>
#include <eddy/stream/boxed.hpp>
#include <eddy/stream/concept.hpp>
#include <eddy/stream/detail/buffered.hpp>
#include <eddy/stream/detail/by_ref.hpp>
#include <eddy/stream/detail/chain.hpp>
#include <eddy/stream/detail/chunks_timeout.hpp>
#include <eddy/stream/detail/collect.hpp>
#include <eddy/stream/detail/filter.hpp>
#include <eddy/stream/detail/fold.hpp>
#include <eddy/stream/detail/fuse.hpp>
#include <eddy/stream/detail/map.hpp>
#include <eddy/stream/detail/merge.hpp>
#include <eddy/stream/detail/peekable.hpp>
#include <eddy/stream/detail/results.hpp>
#include <eddy/stream/detail/skip.hpp>
#include <eddy/stream/detail/take.hpp>
#include <eddy/stream/detail/then.hpp>
#include <eddy/stream/detail/throttle.hpp>
#include <eddy/stream/detail/timeout.hpp>
