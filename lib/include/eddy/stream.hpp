#pragma once

/// Streams: the concept and its adapters, and where streams come from.

#include <eddy/stream/generator.hpp>
#include <eddy/stream/stream.hpp>
#include <eddy/stream/stream_map.hpp>
#include <eddy/stream/stream_of.hpp>
