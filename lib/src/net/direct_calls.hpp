#pragma once
// recv, send and their like, past the C library where its are dear. glibc's are points where a thread may be
// cancelled: once a process has a second thread, four atomic operations a request (110 instructions of eddy-echo's
// with glibc 2.36). eddy's threads are never cancelled. A sanitizer is to see the calls.

#include <sys/socket.h>

#include <cstddef>

#include <eddy/config.hpp>

#include "base/sanitizer.hpp"

#if defined(__linux__) && !EDDY_SANITIZED && __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(SYS_recvfrom) && defined(SYS_sendto)
#define EDDY_DIRECT_CALLS 1
#endif
#endif

namespace eddy { inline namespace EDDY_ABI { namespace detail {

inline ::ssize_t direct_recvfrom(int fd, void* to, std::size_t size, int flags, ::sockaddr* from,
                                 ::socklen_t* from_size) noexcept {
#ifdef EDDY_DIRECT_CALLS
  if (!__libc_single_threaded) return ::syscall(SYS_recvfrom, fd, to, size, flags, from, from_size);
#endif
  return ::recvfrom(fd, to, size, flags, from, from_size);
}
inline ::ssize_t direct_sendto(int fd, const void* from, std::size_t size, int flags,
                               const ::sockaddr* to, ::socklen_t to_size) noexcept {
#ifdef EDDY_DIRECT_CALLS
  if (!__libc_single_threaded) return ::syscall(SYS_sendto, fd, from, size, flags, to, to_size);
#endif
  return ::sendto(fd, from, size, flags, to, to_size);
}
inline ::ssize_t direct_recv(int fd, void* to, std::size_t size, int flags) noexcept {
  return direct_recvfrom(fd, to, size, flags, nullptr, nullptr);
}
inline ::ssize_t direct_send(int fd, const void* from, std::size_t size, int flags) noexcept {
  return direct_sendto(fd, from, size, flags, nullptr, 0);
}

}}}  // namespace eddy::EDDY_ABI::detail
