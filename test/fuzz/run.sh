#!/bin/sh
# Fuzzes for a while, from the corpus in the source tree; what is found new goes to the build folder.
# run.sh PROGRAM CORPUS FOUND: for 10 seconds, with EDDY_LONG for ten minutes
set -eu
mkdir -p "$3"
seconds=10
[ -z "${EDDY_LONG:-}" ] || seconds=600
exec "$1" -max_total_time=$seconds -max_len=2048 -timeout=10 -rss_limit_mb=1024 -verbosity=0 \
  -artifact_prefix="$3/found-" "$3" "$2"
