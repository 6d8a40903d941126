#include "runtime/uv_codes.hpp"

#include <netdb.h>
#include <uv.h>

namespace eddy { inline namespace EDDY_ABI { namespace detail {

int uv_code_of_eai(int eai, int errno_then) noexcept {
  switch (eai) {
    case 0:
      return 0;
    case EAI_AGAIN:
      return UV_EAI_AGAIN;
    case EAI_BADFLAGS:
      return UV_EAI_BADFLAGS;
    case EAI_FAIL:
      return UV_EAI_FAIL;
    case EAI_FAMILY:
      return UV_EAI_FAMILY;
    case EAI_MEMORY:
      return UV_EAI_MEMORY;
    case EAI_NONAME:
      return UV_EAI_NONAME;
    case EAI_OVERFLOW:
      return UV_EAI_OVERFLOW;
    case EAI_SERVICE:
      return UV_EAI_SERVICE;
    case EAI_SOCKTYPE:
      return UV_EAI_SOCKTYPE;
    case EAI_SYSTEM:
      return errno_then != 0 ? uv_translate_sys_error(errno_then) : UV_EAI_FAIL;
#ifdef EAI_ADDRFAMILY
    case EAI_ADDRFAMILY:
      return UV_EAI_ADDRFAMILY;
#endif
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
    case EAI_NODATA:
      return UV_EAI_NODATA;
#endif
    default:
      return UV_EAI_FAIL;
  }
}

}}}  // namespace eddy::EDDY_ABI::detail
