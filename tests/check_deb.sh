#!/bin/sh
# The Debian packages that "make deb" has made: accepted by lintian, and what is in them works. Wants lintian and pkg-config.
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build} CC=${CC:-cc}
. tests/checks.sh
deb=$PWD/$BUILD/deb root=$work/root models=$PWD/examples/models
case $BUILD in /*) deb=$BUILD/deb ;; esac

expect "lintian finds nothing" lintian --allow-root --fail-on error,warning "$deb"/*.changes
for p in "$deb"/*_*.deb; do expect "$p unpacks" dpkg-deb -x "$p" "$root"; done
lib=$root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
export PKG_CONFIG_SYSROOT_DIR="$root" PKG_CONFIG_LIBDIR="$lib/pkgconfig" LD_LIBRARY_PATH="$lib"
expect "a host builds" sh -c "$CC examples/host/host.c \$(pkg-config --cflags --libs b2s6) -L'$lib' -o '$work/host'"
expect "and reads a seven" sh -c "'$work/host' '$models/digits.b2s6' <examples/host/seven.txt | sort -k2 -n | tail -n 1 | grep -q '^ 7'"
expect "the program runs" "$root/usr/bin/b2s6" run --help
expect "without a path of its own to the library" sh -c "! readelf -d '$root/usr/bin/b2s6' | grep -E 'RPATH|RUNPATH'"
for f in share/man/man1/b2s6.1.gz share/man/man3/b2s6.3.gz share/bash-completion/completions/b2s6 include/b2s6.h; do
    expect "/usr/$f is there" test -f "$root/usr/$f"
done
expect "the library's package has no program" sh -c "! dpkg-deb -c '$deb'/libb2s6-*_*.deb | grep bin/"
finish
