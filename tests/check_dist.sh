#!/bin/sh
# What is released: from a clone of the last commit, tests/check_dist.sh; CC, PYTHON and MAKE are taken from the environment.
cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make}
. tests/checks.sh
unset MAKEFLAGS MFLAGS MAKELEVEL

dist() { (umask "$1" && cd "$2" && TZ=$3 $MAKE -s dist); } # dist UMASK TREE TIMEZONE
expect "a clone" git clone -q . "$work/clone"
expect "make dist" dist 022 "$work/clone" UTC
tarball=$(cd "$work/clone/build/dist" && ls b2s6-*.tar.gz)
top=${tarball%.tar.gz}
expect "its checksum" sh -c "cd '$work/clone/build/dist' && sha256sum -c --quiet '$tarball.sha256'"

# Another clone, another user's habits, another day: the same bytes.
(umask 077 && git clone -q . "$work/a clone")
expect "make dist in another clone" dist 077 "$work/a clone" Asia/Tokyo
expect "twice the same bytes" cmp "$work/clone/build/dist/$tarball" "$work/a clone/build/dist/$tarball"

mkdir "$work/un packed"
expect "tar unpacks it" tar -xzf "$work/clone/build/dist/$tarball" -C "$work/un packed"
tree="$work/un packed/$top"
expect "all checksums are right" sh -c "cd '$tree' && sha256sum -c --quiet SHA256SUMS"
(cd "$tree" && find . -type f ! -name SHA256SUMS | sed 's|^\./||' | LC_ALL=C sort) >"$work/there"
sed 's/^[0-9a-f]*  //' "$tree/SHA256SUMS" | LC_ALL=C sort >"$work/listed"
expect "the checksums are of all files" diff "$work/there" "$work/listed"
{ git ls-files; printf '%s\n' amalgamation/b2s6.c amalgamation/b2s6.h "$top.spdx"; } | LC_ALL=C sort >"$work/wanted"
expect "it has the files of the commit, and what is made of them" diff "$work/wanted" "$work/there"
tar -tvzf "$work/clone/build/dist/$tarball" | awk '{ print $2, $4, $5 }' | sort -u >"$work/stamps"
expect "one owner, one time" test "$(wc -l <"$work/stamps")" = 1
expect "which is nobody's" grep -q '^root/root ' "$work/stamps"
expect "scripts can be run" test -x "$tree/tests/install.sh"

# The list of licences, read by other means than it was written by.
awk '/^FileName: / { name = substr($0, 13) } /^FileChecksum: SHA1: / { print $3 "  " name }' "$tree/$top.spdx" >"$work/sha1"
expect "the SPDX list has each file's checksum" sh -c "cd '$tree' && sha1sum -c --quiet '$work/sha1'"
grep -vxE "$top\.spdx" "$work/there" >"$work/licensed"
sed 's/^[0-9a-f]*  //' "$work/sha1" | LC_ALL=C sort >"$work/named"
expect "and all files" diff "$work/licensed" "$work/named"
code=$(sed 's/ .*//' "$work/sha1" | LC_ALL=C sort | tr -d '\n' | sha1sum | sed 's/ .*//')
expect "and the code over all of them" grep -q "^PackageVerificationCode: $code " "$tree/$top.spdx"
expect "the sounds are under their own licence" sh -c \
    "grep -A4 '^FileName: ./examples/speech/clips/0_george_0.wav' '$tree/$top.spdx' | grep -qx 'LicenseConcluded: CC-BY-SA-4.0'"

# What is unpacked builds as it is, its amalgamation too, and makes the same tarball.
expect "the amalgamation compiles" ${CC:-cc} -std=c99 -pedantic -O1 -DB2S6_NO_ISAS -c -o "$work/b2s6.o" "$tree/amalgamation/b2s6.c"
expect "and gives a program" ${CC:-cc} -std=c99 -I "$tree/amalgamation" -o "$work/host" examples/host/host.c "$work/b2s6.o" -lm
"$work/host" examples/models/digits.b2s6 <examples/host/seven.txt >"$work/answer"
expect "which knows a seven" sh -c "sort -k2 -n '$work/answer' | tail -n 1 | grep -q '^ *7 '"
expect "the tree builds" sh -c "cd '$tree' && $MAKE -s -j2 CFLAGS='-O0 -DB2S6_NO_ISAS' all man"
expect "make dist from it" dist 022 "$tree" UTC
expect "gives the same bytes" cmp "$work/clone/build/dist/$tarball" "$tree/build/dist/$tarball"

# What is not as it was committed or released is not packed.
echo changed >>"$work/clone/README.md"
expect "a changed checkout is refused" sh -c "! $MAKE -s -C '$work/clone' dist 2>'$work/error'"
expect "and named" grep -q 'README.md is not committed' "$work/error"
echo changed >>"$tree/docs/using.md"
expect "a changed release is refused" sh -c "! $MAKE -s -C '$tree' dist 2>'$work/error'"
expect "and named" grep -q 'docs/using.md is not as it was released' "$work/error"

finish
