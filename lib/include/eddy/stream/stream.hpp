#pragma once

/// Streams: the concept, what all of them can do, and the adapters. Where streams come from is in
/// `stream_of.hpp`, `generator.hpp` and `stream_map.hpp`; `<eddy/stream.hpp>` has all.

#include <eddy/stream/base.hpp>
#include <eddy/stream/boxed.hpp>
#include <eddy/stream/buffered.hpp>
#include <eddy/stream/by_ref.hpp>
#include <eddy/stream/chain.hpp>
#include <eddy/stream/chunks_timeout.hpp>
#include <eddy/stream/collect.hpp>
#include <eddy/stream/concept.hpp>
#include <eddy/stream/filter.hpp>
#include <eddy/stream/fold.hpp>
#include <eddy/stream/fuse.hpp>
#include <eddy/stream/map.hpp>
#include <eddy/stream/merge.hpp>
#include <eddy/stream/peekable.hpp>
#include <eddy/stream/results.hpp>
#include <eddy/stream/skip.hpp>
#include <eddy/stream/take.hpp>
#include <eddy/stream/then.hpp>
#include <eddy/stream/throttle.hpp>
#include <eddy/stream/timeout.hpp>
