#pragma once

/// Readers and writers: what all streams of bytes share, and the functions and wrappers that work with any of them.

#include <eddy/io/adapters.hpp>
#include <eddy/io/buf_reader.hpp>
#include <eddy/io/buf_stream.hpp>
#include <eddy/io/buf_writer.hpp>
#include <eddy/io/buffer.hpp>
#include <eddy/io/concepts.hpp>
#include <eddy/io/copy.hpp>
#include <eddy/io/copy_bidirectional.hpp>
#include <eddy/io/duplex.hpp>
#include <eddy/io/lines.hpp>
#include <eddy/io/read.hpp>
#include <eddy/io/split.hpp>
