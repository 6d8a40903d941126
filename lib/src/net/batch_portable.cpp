// One system call a datagram: where there is no recvmmsg.

#include <cerrno>

#include "net/batch.hpp"
#include "net/socket.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

::msghdr header(message& m) noexcept {
  ::msghdr h{};
  h.msg_iov = &m.data;
  h.msg_iovlen = 1;
  h.msg_name = m.address_size != 0 ? &m.address : nullptr;
  h.msg_namelen = m.address_size;
  return h;
}

template <class Call>
int each(std::span<message> messages, Call call) noexcept {
  int n = 0;
  for (message& m : messages) {
    if (!call(m)) return n != 0 ? n : -1;
    ++n;
  }
  return n;
}

}  // namespace

int receive_messages(int fd, std::span<message> messages) noexcept {
  return each(messages, [fd](message& m) {
    ::msghdr h = header(m);
    const ::ssize_t n = ::recvmsg(fd, &h, 0);
    if (n < 0) return false;
    m.moved = static_cast<std::size_t>(n);
    m.address_size = h.msg_namelen;
    m.truncated = (h.msg_flags & MSG_TRUNC) != 0;
    return true;
  });
}

int send_messages(int fd, std::span<message> messages) noexcept {
  return each(messages, [fd](message& m) {
    ::msghdr h = header(m);
    return ::sendmsg(fd, &h, no_signal) >= 0;
  });
}

}}}  // namespace eddy::EDDY_ABI::detail
