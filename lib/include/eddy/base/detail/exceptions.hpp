#pragma once

#include <eddy/config.hpp>

/// `EDDY_TRY { … } EDDY_CATCH_ALL { … }`: try and catch (...) in a build with exceptions; in one without, the first
/// block is run and the second is compiled and never run.
#if EDDY_EXCEPTIONS
#define EDDY_TRY try
#define EDDY_CATCH_ALL catch (...)
#else
#define EDDY_TRY if (true)
#define EDDY_CATCH_ALL else
#endif
