#!/bin/sh
# run_image.sh OUTPUT EXPECTED EMULATOR... - runs an image, keeps its output in OUTPUT, and compares what it says of the
# images with the first lines of EXPECTED, digests included. Instructions are counted: one a nanosecond.
set -u
output=$1 expected=$2
shift 2
timeout 300 "$@" -icount shift=0 -display none -monitor none -serial stdio </dev/null >"$output"
status=$?
if [ $status -ne 0 ]; then
    cat "$output"
    echo "firmware: the image ended with status $status" >&2
    exit 1
fi
grep '^image [0-9]' "$output" >"$output.images"
if ! [ -s "$output.images" ] || ! head -n "$(wc -l <"$output.images")" "$expected" | cmp - "$output.images"; then
    diff "$expected" "$output.images"
    echo "firmware: the image's outputs are not the desktop's" >&2
    exit 1
fi
echo "$output: $(wc -l <"$output.images") images with the desktop's outputs, $(grep -c ': status' "$output") calls answered as they should be," \
    "$(sed -n 's/^# instructions a step: //p' "$output") instructions a step"
