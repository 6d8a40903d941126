// recvmmsg(2) and sendmmsg(2): Linux.

#include <cerrno>

#include "net/batch.hpp"
#include "net/socket.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

struct headers {
  explicit headers(std::span<message> messages) noexcept {
    for (message& m : messages) {
      ::msghdr& h = list[count++].msg_hdr;
      h = {};
      h.msg_iov = &m.data;
      h.msg_iovlen = 1;
      h.msg_name = m.address_size != 0 ? &m.address : nullptr;
      h.msg_namelen = m.address_size;
    }
  }
  ::mmsghdr list[message::most];
  unsigned count = 0;
};

}  // namespace

int receive_messages(int fd, std::span<message> messages) noexcept {
  headers h(messages);
  const int n = ::recvmmsg(fd, h.list, h.count, 0, nullptr);
  for (int i = 0; i < n; ++i) {
    message& m = messages[static_cast<std::size_t>(i)];
    m.moved = h.list[i].msg_len;
    m.address_size = h.list[i].msg_hdr.msg_namelen;
    m.truncated = (h.list[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
  }
  return n;
}

int send_messages(int fd, std::span<message> messages) noexcept {
  headers h(messages);
  return ::sendmmsg(fd, h.list, h.count, no_signal);
}

}}}  // namespace eddy::EDDY_ABI::detail
