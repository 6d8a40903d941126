#!/bin/sh
# Is everything written as .clang-format says? Releases differ, so only Debian 12's decides: others skip.
# format.sh ROOT
set -eu
for tool in clang-format-14 clang-format none; do
  command -v "$tool" >/dev/null && "$tool" --version | grep -q 'version 14\.' && break
done
if [ "$tool" = none ]; then
  echo 'skipped: no clang-format 14 here'
  exit 77
fi
cd "$1"
# Not --dry-run: release 14 takes the comment that closes `namespace a::inline B` for a change.
find lib apps test docs -name '*.?pp' | {
  bad=0
  while read -r file; do
    "$tool" "$file" | diff -u --label "$file" --label formatted "$file" - || bad=1
  done
  exit $bad
}
