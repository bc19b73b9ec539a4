#!/bin/sh
# Files that libb2s6 0.1 converted, rewritten as version 2: byte for byte what the converter makes of the same checkpoint.
#   check_rewrite.sh PROGRAM FOLDER        FOLDER is this one; needs Python with NumPy
. "$(dirname "$0")/checks.sh"
program=$1
tests=$2
rewrite=$tests/tools/rewrite_0_1.py
python=${PYTHON:-python3}

for old in "$tests"/old-0.1/*.b2s6; do
    name=$(basename "$old" .b2s6)
    checkpoint=${name%-*}
    for states in plain compensated; do
        runs convert "$tests/cases/$checkpoint/model.safetensors" "$work/new.b2s6" --type "${name##*-}" --states $states
        expect "$name, $states: rewriting" "$python" "$rewrite" "$old" "$work/rewritten.b2s6" --states $states
        expect "$name, $states: the same bytes as converting" cmp "$work/rewritten.b2s6" "$work/new.b2s6"
    done
done

# The shipped models are such files.
expect "the old digits model" "$python" "$rewrite" "$tests/old-0.1.b2s6" "$work/digits.b2s6" --states plain
expect "the old digits model gives the shipped one" cmp "$work/digits.b2s6" "$tests/../examples/models/digits.b2s6"

# What cannot be rewritten is refused, and nothing is written.
refused() { # refused NAME FILE
    rm -f "$work/none"
    ! "$python" "$rewrite" "$2" "$work/none" 2>"$work/err" && test ! -e "$work/none" && test "$(wc -l <"$work/err")" -eq 1
    report $? "$1 is not refused with one line: $(cat "$work/err")"
}
refused "a file of version 2" "$tests/../examples/models/digits.b2s6"
refused "another file" "$tests/tests.mk"
{ head -c 9000 "$tests/old-0.1.b2s6" && printf x && tail -c +9002 "$tests/old-0.1.b2s6"; } >"$work/damaged"
refused "a damaged file" "$work/damaged"
head -c 9000 "$tests/old-0.1.b2s6" >"$work/cut"
refused "a file that is cut" "$work/cut"
finish
