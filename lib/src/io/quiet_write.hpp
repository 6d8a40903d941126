#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

/// write(2) that never raises SIGPIPE: where nobody reads any more it is -1 with EPIPE, whatever the program does
/// with that signal. For pipes and terminals; sockets have MSG_NOSIGNAL.
::ssize_t write_quietly(int fd, const void* data, std::size_t size) noexcept;
/// The same of several buffers, as writev(2).
::ssize_t write_quietly(int fd, const ::iovec* parts, int count) noexcept;

/// The way of systems that have no flag for it: the signal is blocked for this thread meanwhile, and taken back if it
/// was this write that raised it.
::ssize_t write_with_sigpipe_blocked(int fd, const ::iovec* parts, int count) noexcept;

}}}  // namespace eddy::EDDY_ABI::detail
