#include <eddy/net/tcp_split.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace net {

tcp_halves tcp_stream::into_split() && {
  return split_detail::splitting<tcp_stream>::split(std::move(*this));
}

}}}  // namespace eddy::EDDY_ABI::net
