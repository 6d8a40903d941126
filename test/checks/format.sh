#!/bin/sh
# Is everything written as .clang-format says? Releases differ, so only 19 decides (the one of the lint's
# compiler): without it the test is skipped.
# format.sh ROOT
set -eu
tool=clang-format-19
if ! command -v $tool >/dev/null; then
  echo "skipped: no $tool here"
  exit 77
fi
cd "$1"
find lib apps test docs -name '*.?pp' -exec $tool --dry-run -Werror {} +
