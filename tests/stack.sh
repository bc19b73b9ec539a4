#!/bin/sh
# No call takes more stack than B2S6_STACK_SIZE, whatever compiled the library: the suite "stack" (tests/test_stack.c) on
# libraries by gcc and clang at -O2, -O3 and -Os, and at -O0 and -O1 with the four times of that which b2s6.h allows there.
#
#   tests/stack.sh [--levels "-O0 -O2"] [--isas "portable sse2 avx2"]
#
# --isas      instruction sets that must have run, or the script fails
#
# The tests are compiled once; each library is measured by them. Prints the most that each instruction set took. Closes with
# "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
levels='-O0 -O1 -O2 -O3 -Os' isas=
while [ $# -gt 0 ]; do
    case $1 in
    --levels) shift; levels=$1 ;;
    --isas) shift; isas=$1 ;;
    *) echo "stack.sh: what is $1?" >&2; exit 2 ;;
    esac
    shift
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
promise=$(echo B2S6_STACK_SIZE | ${CC:-cc} -include b2s6.h -E -P -x c - | tail -n 1)

# measure CC LEVEL: builds $work/lib/libb2s6.a and runs the suite on it
measure() {
    bound=$promise
    case $2 in -O0 | -O1) bound=$((4 * promise)) ;; esac
    rm -rf "$work/lib"
    if make -s -j2 BUILD="$work/lib" CC="$1" CFLAGS="$2" "$work/lib/libb2s6.a" >"$work/log" 2>&1 &&
        make -s -j2 BUILD="$work/tests" CC="${CC:-cc}" CFLAGS=-O1 CMOCKA=no CHECK_LIBRARY="$work/lib/libb2s6.a" \
            "$work/tests/tests/check" >>"$work/log" 2>&1 &&
        B2S6_TEST_STACK=$bound "$work/tests/tests/check" stack. >>"$work/log" 2>&1; then
        passed=$((passed + 1))
        echo "$1 $2: at most $bound bytes"
    else
        failed=$((failed + 1))
        echo "$1 $2: FAILED, bound $bound bytes"
        tail -n 5 "$work/log"
    fi
    grep -E '^ *[a-z0-9]+ +[0-9]+ bytes' "$work/log" | sed 's/^ */    /'
    for isa in $isas; do
        grep -qE "^ *$isa +[0-9]+ bytes" "$work/log" || { failed=$((failed + 1)); echo "    $isa DID NOT RUN"; }
    done
}

for cc in gcc clang; do
    command -v $cc >/dev/null || { echo "$cc: impossible here: not installed"; continue; }
    for level in $levels; do
        measure $cc "$level"
    done
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
