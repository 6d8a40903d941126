#pragma once

/// Frames: streams of bytes cut into messages and back. JSON has a header of its own, `<eddy/codec/json.hpp>`.

#include <eddy/codec/any_delimiter.hpp>
#include <eddy/codec/byte_buffer.hpp>
#include <eddy/codec/bytes.hpp>
#include <eddy/codec/concepts.hpp>
#include <eddy/codec/framed.hpp>
#include <eddy/codec/framed_read.hpp>
#include <eddy/codec/framed_write.hpp>
#include <eddy/codec/length_delimited.hpp>
#include <eddy/codec/lines.hpp>
#include <eddy/codec/udp_framed.hpp>
