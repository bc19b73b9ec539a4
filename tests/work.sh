#!/bin/sh
# What a file can make the library do is bounded: instructions counted by valgrind, so that no clock decides.
#
#   tests/work.sh BUILD/tests/work MODEL.b2s6
#
# - Whatever the weights, a step takes at most two and a half times the instructions of ordinary weights (tests/work.c has the kinds). Time is
#   another thing, as processors are slow with subnormal numbers: docs/performance.md, `build/tests/work MODEL.b2s6`.
# - A look-up in the largest metadata that a file can have takes at most 8 instructions a byte.
#
# Instruction sets that valgrind does not know are left to the clock. Closes with "N passed, N failed".
set -u
work=$1 model=$2 passed=0 failed=0
command -v valgrind >/dev/null || { echo "work.sh: needs valgrind" >&2; exit 2; }
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# count ARGUMENTS...: the instructions of one run; nothing if it failed
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$work" "$model" "$@" >"$log" 2>&1 &&
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$log"
}

# each ARGUMENTS...: the instructions of one step or look-up, from runs of 11 and of 1; 0 if a run failed
each() {
    few=$(count "$@" 1) many=$(count "$@" 11)
    if [ -n "$few" ] && [ -n "$many" ]; then echo $(((many - few) / 10)); else tail -n 5 "$log" >&2; echo 0; fi
}

# judge WHAT COUNT BOUND
judge() {
    if [ "$2" -gt 0 ] && [ "$2" -le "$3" ]; then
        passed=$((passed + 1)) verdict=ok
    else
        failed=$((failed + 1)) verdict="MORE THAN $3"
    fi
    printf '%-32s %10s instructions  %s\n' "$1" "$2" "$verdict"
}

for isa in portable sse2 avx2; do
    ordinary=$(each $isa ordinary)
    [ "$ordinary" -gt 0 ] || { failed=$((failed + 1)); echo "$isa DID NOT RUN"; continue; }
    for kind in ordinary angles subnormal tiny small one-bit huge any; do
        judge "$isa, $kind weights" "$(each $isa $kind)" $((5 * ordinary / 2))
    done
done
judge "metadata, last of 1,024 pairs" "$(each metadata)" $((8 * 262144))
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
