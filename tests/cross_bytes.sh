#!/bin/sh
# A file compressed on one machine is decompressed on another: this one and aarch64, riscv64 and s390x (big-endian) with
# Debian's cross compilers, under QEMU; on each of them every instruction set.
#
#   tests/cross_bytes.sh [--require "NAME ..."]      MACHINES: others than these three
#
# --require names machines that must have run, or the script fails. Closes with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
required=
test "${1:-}" = --require && required=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 ran=

judge() { # judge OK WHAT
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1)); echo "$2"
    else
        failed=$((failed + 1)); echo "NOT SO: $2"
    fi
}

build() { # build NAME CC CFLAGS TARGET...
    folder=$work/$1 cc=$2 flags=$3
    shift 3
    for target; do
        make -s -j2 BUILD="$folder" CC="$cc" CFLAGS="$flags" CMOCKA=no WRAP=no "$folder/$target" >"$work/log" 2>&1 ||
            { tail -n 5 "$work/log"; return 1; }
    done
}

build here "${CC:-cc}" -O2 b2s6 tests/byte_model || exit 1
here=$work/here/b2s6 model=$work/one.b2s6
"$work/here/tests/byte_model" "$work" >/dev/null || exit 1
head -c 1000 "$work/text" >"$work/again" # drawn by the model, what it knows nothing of, and the first part again
cat "$work/text" LICENSE "$work/again" >"$work/content"
"$here" compress "$model" "$work/content" "$work/small" && "$here" generate "$model" -n 500 >"$work/words" || exit 1

for machine in ${MACHINES:-aarch64 riscv64 s390x}; do
    there=$work/$machine/b2s6
    if ! command -v "$machine-linux-gnu-gcc" >/dev/null || ! command -v "qemu-$machine" >/dev/null; then
        echo "$machine: impossible here: no compiler or no QEMU"
        continue
    fi
    build "$machine" "$machine-linux-gnu-gcc" "-O2 -static" b2s6
    judge $? "$machine: builds" || continue
    ran="$ran $machine"
    isas=$("qemu-$machine" "$there" bench --isa list | awk 'NF == 1 { print $1 }')
    test -n "$isas"
    judge $? "$machine: has $(echo $isas)"
    for isa in $isas; do
        "qemu-$machine" "$there" compress --isa "$isa" "$model" "$work/content" "$work/small.$machine"
        cmp "$work/small" "$work/small.$machine"
        judge $? "$machine, $isa: compresses to the same bytes"
        "qemu-$machine" "$there" decompress --isa "$isa" "$model" "$work/small" - | cmp - "$work/content"
        judge $? "$machine, $isa: reads what was compressed here"
        "qemu-$machine" "$there" generate --isa "$isa" "$model" -n 500 | cmp - "$work/words"
        judge $? "$machine, $isa: generates the same text"
    done
    "$here" decompress "$model" "$work/small.$machine" - | cmp - "$work/content"
    judge $? "what $machine compressed is read here"
done
for name in $required; do
    case " $ran " in
    *" $name "*) ;;
    *) judge 1 "$name ran" ;;
    esac
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
