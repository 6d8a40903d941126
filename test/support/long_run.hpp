#pragma once

#include <cstdlib>

namespace test {

/// Rounds of a stress test: `short_run` in a common run, twenty times as many under `dev check --long`.
inline int rounds(int short_run) {
  return std::getenv("EDDY_LONG") != nullptr ? short_run * 20 : short_run;
}

}  // namespace test
