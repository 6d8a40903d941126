#pragma once

#include <eddy/config.hpp>
#include <eddy/net/stream_split.hpp>
#include <eddy/net/tcp_stream.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

/// The reading half of a TCP stream.
using tcp_read_half = stream_read_half<tcp_stream>;
/// The writing half of a TCP stream.
using tcp_write_half = stream_write_half<tcp_stream>;

}}}  // namespace eddy::EDDY_ABI::net
