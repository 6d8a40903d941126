#include <eddy/net/tcp_split.hpp>

namespace eddy::inline EDDY_ABI::net {

tcp_halves tcp_stream::into_split() && {
  return split_detail::splitting<tcp_stream>::split(std::move(*this));
}

}  // namespace eddy::inline EDDY_ABI::net
