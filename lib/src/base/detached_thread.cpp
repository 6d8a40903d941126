#include "base/detached_thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <new>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {
struct call {
  void (*f)(void*);
  void* of;
};
}  // namespace

int start_detached(void (*f)(void* of), void* of) noexcept {
  auto* const what = new (std::nothrow) call{f, of};
  if (what == nullptr) return ENOMEM;
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t id;
  const int code = ::pthread_create(
      &id, &attributes,
      [](void* p) -> void* {
        const call c = *static_cast<call*>(p);
        delete static_cast<call*>(p);
        c.f(c.of);
        return nullptr;
      },
      what);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  if (code != 0) delete what;
  return code;
}

}}}  // namespace eddy::EDDY_ABI::detail
