#!/bin/sh
# One digest for every compiler, optimisation level, instruction set and machine (tests/digest.c); and on every instruction
# set and machine the stored bits of the stored files (tests/golden.h).
#
#   tests/digests.sh [--native] [--cross] [--require "NAME ..."]
#
# --native    gcc and clang, -O0 to -O3, with contraction allowed, tuned for this machine; every instruction set that it runs
# --cross     aarch64, riscv64 and s390x (big-endian) with Debian's cross compilers, under QEMU
# --require   instruction sets that must have run, or the script fails: a lane that could not run is not passed over
#
# Prints a line for every combination: run, or impossible here and why. Closes with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
native=no cross=no require=
while [ $# -gt 0 ]; do
    case $1 in
    --native) native=yes ;;
    --cross) cross=yes ;;
    --require) shift; require=$1 ;;
    *) echo "digests.sh: what is $1?" >&2; exit 2 ;;
    esac
    shift
done
[ $native$cross = nono ] && native=yes
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 expected= ran=

say() {
    printf '%-44s %-12s %s\n' "$1" "$2" "$3"
}

# judge BUILD ISA OUTPUT: the digest against the first one.
judge() {
    digest=$(printf '%s\n' "$3" | sed -n 's/^\(family \)\{0,1\}digest  *\([0-9a-f]*\)$/\2/p' | tr '\n' ' ')
    digest=${digest% }
    [ -n "$expected" ] || expected=$digest
    if [ -n "$digest" ] && [ "$digest" = "$expected" ]; then
        passed=$((passed + 1)); ran="$ran $2"
        say "$1" "$2" "$digest"
    else
        failed=$((failed + 1))
        say "$1" "$2" "${digest:-no digest}: NOT $expected"
    fi
}

# judge_golden BUILD ISA COMMAND...: the stored files give the stored bits
judge_golden() {
    label=$1 isa_name=$2
    shift 2
    if "$@" --isa "$isa_name" >"$work/golden" 2>&1; then
        passed=$((passed + 1))
        say "$label" "$isa_name" "golden"
    else
        failed=$((failed + 1))
        say "$label" "$isa_name" "NOT the stored bits:"
        tail -n 5 "$work/golden"
    fi
}

# build NAME CC CFLAGS: $work/NAME/tests/digest and golden
build() {
    if make -s -j2 BUILD="$work/$1" CC="$2" CFLAGS="$3" CMOCKA=no WRAP=no "$work/$1/tests/digest" \
        "$work/$1/tests/golden" >"$work/log" 2>&1; then
        return 0
    fi
    failed=$((failed + 1))
    say "$2 $3" - "does not build:"
    tail -n 5 "$work/log"
    return 1
}

# every_isa NAME LABEL RUNNER: all that the program lists as available there
every_isa() {
    $3 "$work/$1/b2s6" bench --isa list >"$work/isas" 2>"$work/log" || { failed=$((failed + 1)); say "$2" - "does not run"; return; }
    while read -r isa note; do
        if [ -n "$note" ]; then
            say "$2" "$isa" "impossible here $note"
        else
            judge "$2" "$isa" "$($3 "$work/$1/tests/digest" --read "$work/models" --isa "$isa" 2>&1)"
            judge_golden "$2" "$isa" $3 "$work/$1/tests/golden"
        fi
    done <"$work/isas"
}

# without_dot_product FOLDER RUNNER: ARMv8.0 gets the kernels that it can run, by itself
without_dot_product() {
    case $($2 "$1/b2s6" bench --isa list) in
    *"neondot "*"(not on this machine)"*) judge "$2" best "$($2 "$1/tests/digest" --read "$work/models" 2>&1)" ;;
    *) failed=$((failed + 1)); say "$2" neondot "is offered, or not listed" ;;
    esac
}

build reference "${CC:-cc}" -O2 && make -s -j2 BUILD="$work/reference" CC="${CC:-cc}" CFLAGS=-O2 "$work/reference/b2s6" >/dev/null || exit 1
mkdir "$work/models"
"$work/reference/tests/digest" --write "$work/models" >/dev/null || exit 1
every_isa reference "${CC:-cc} -O2" ""

if [ $native = yes ]; then
    for cc in gcc clang; do
        command -v $cc >/dev/null || { say $cc - "impossible here: not installed"; continue; }
        for flags in "-O0" "-O1" "-O3" "-O3 -march=native -ffp-contract=fast"; do
            build tried $cc "$flags" && judge "$cc $flags" "best" "$("$work/tried/tests/digest" --read "$work/models" 2>&1)"
            [ "$flags" != -O0 ] && [ -x "$work/tried/tests/digest" ] &&
                judge "$cc $flags" portable "$("$work/tried/tests/digest" --read "$work/models" --isa portable 2>&1)"
            rm -rf "$work/tried"
        done
    done
fi

if [ $cross = yes ]; then
    for machine in ${MACHINES:-aarch64 riscv64 s390x}; do
        cc=$machine-linux-gnu-gcc
        if ! command -v $cc >/dev/null || ! command -v qemu-$machine >/dev/null; then
            say "$cc" - "impossible here: no compiler or no QEMU"
            continue
        fi
        ran="$ran $machine"
        build $machine $cc "-O2 -static" && make -s -j2 BUILD="$work/$machine" CC=$cc CFLAGS="-O2 -static" "$work/$machine/b2s6" >/dev/null &&
            every_isa $machine "$cc -O2, QEMU" qemu-$machine &&
            if [ $machine = aarch64 ]; then without_dot_product "$work/aarch64" "qemu-aarch64 -cpu cortex-a53"; fi
        rm -rf "${work:?}/$machine"
    done
fi

for name in $require; do
    case " $ran " in
    *" $name "*) ;;
    *) failed=$((failed + 1)); say required "$name" "DID NOT RUN" ;;
    esac
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
