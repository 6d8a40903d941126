#pragma once

#include <cstddef>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/io/buf_reader.hpp>
#include <eddy/io/buf_writer.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace io {

/// A stream that is read and written with a buffer each; `flush()` what was written.
template <class S>
using buf_stream = buf_reader<buf_writer<S>>;

/// `auto s = eddy::io::buffered(std::move(stream));`; by lvalue it borrows the stream.
template <class S>
buf_stream<S> buffered(S&& stream, std::size_t read_capacity = buf_reader<S>::default_capacity,
                       std::size_t write_capacity = buf_writer<S>::default_capacity) {
  return buf_stream<S>(buf_writer<S>(std::forward<S>(stream), write_capacity), read_capacity);
}

}}}  // namespace eddy::EDDY_ABI::io
