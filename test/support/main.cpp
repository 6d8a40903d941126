#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "base/sanitizer.hpp"

#ifdef EDDY_TSAN
// libuv closes by a bare system call, which TSan does not see: a descriptor number that another thread's loop
// gets afterwards looks like one that two threads use at once. So TSan shall not follow libuv's own calls. It
// loses nothing of eddy's: callbacks are eddy's code, and nothing there leans on libuv for its ordering.
extern "C" const char* __tsan_default_suppressions() { return "called_from_lib:libuv.so\n"; }
#endif
