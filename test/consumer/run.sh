#!/bin/sh
# Builds this folder as somebody else's project would, in a temporary place and without downloads.
# run.sh installed|subproject|host ROOT BUILD; CXX says which compiler.
set -eu
kind=$1 root=$2 build=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src" "$dir/root"
quick='-Doptimization=0 -Ddebug=false --unity=subprojects' # how fast it runs is not asked here
cp "$root"/test/consumer/*.cpp "$root"/test/consumer/meson* "$dir/src"

# The repository, but not its build folders, as a subproject.
borrow() {
  mkdir -p "$dir/src/subprojects/eddy"
  for part in meson.build meson_options.txt lib subprojects; do
    cp -r "$root/$part" "$dir/src/subprojects/eddy"
  done
}

case $kind in
  installed)
    meson install -C "$build" --no-rebuild --quiet --destdir "$dir/root"
    if find "$dir/root" ! -type d | grep -vE '/include/eddy/.*\.hpp$|/libeddy\.(a|so[.0-9]*)$|/eddy\.pc$'; then
      echo 'error: the files above should not have been installed' >&2
      exit 1
    fi
    pkgconfig=$(dirname "$(find "$dir/root" -name eddy.pc)")
    PKG_CONFIG_PATH=$pkgconfig meson setup "$dir/build" "$dir/src" --wrap-mode=nofallback
    ;;
  subproject)
    borrow
    meson setup "$dir/build" "$dir/src" --wrap-mode=nodownload --force-fallback-for=eddy $quick
    ;;
  host)
    borrow
    meson setup "$dir/build" "$dir/src" --wrap-mode=nodownload --force-fallback-for=eddy $quick \
      -Dhost=true -Deddy:libuv=host -Deddy:default_library=shared
    ;;
esac
meson compile -C "$dir/build" -j 2
meson test -C "$dir/build" --no-rebuild --print-errorlogs

if [ "$kind" = host ]; then
  library=$dir/build/subprojects/eddy/lib/libeddy.so
  nm -D --undefined-only "$library" | grep -q ' uv_run$'
  if readelf -d "$library" | grep "NEEDED.*libuv"; then exit 1; fi
fi
