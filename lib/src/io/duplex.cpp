#include <eddy/io/duplex.hpp>

#include <eddy/base/detail/misuse.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace io {

duplex_stream::~duplex_stream() {
  if (pipes_ == nullptr) return;
  out().close(eddy::detail::pipe_side::write);
  in().close(eddy::detail::pipe_side::read);
}

result<void> duplex_stream::shutdown_write() noexcept {
  out().close(eddy::detail::pipe_side::write);
  return {};
}

duplex_pair duplex(std::size_t room) {
  if (room == 0) eddy::detail::misuse("duplex without room would wait for ever");
  auto pipes = std::make_shared<duplex_stream::two_pipes>(room);
  return {duplex_stream(pipes, false), duplex_stream(pipes, true)};
}

}}}  // namespace eddy::EDDY_ABI::io
