// expect: lines and split_by want a reader with a buffer
#include <utility>

#include <eddy/io/duplex.hpp>
#include <eddy/io/lines.hpp>

auto pieces(eddy::io::duplex_stream stream) { return eddy::io::lines(std::move(stream)); }
