#!/usr/bin/env bash
# Whether threads ever cost: the table of docs/performance.md. For every model, chunk and number of threads the time of `b2s6 run`
# is divided by that of one thread, in pairs of runs one right after the other; the table shows the medians. The column of one
# thread compares the same with the same: how far it is from 1 is what the machine adds, and says what the others are worth.
#
#     tests/tools/threads_never_cost.sh build/b2s6 examples/models/*.b2s6
#
# From the environment: CHUNKS, THREADS, NEIGHBOURS (busy processes beside it), PAIRS, and SECONDS_A_RUN. Exits with 1 if a median
# is above LIMIT (1.05). Takes some minutes; not a part of `make check`, as it is for a machine that does nothing else.
set -eu
program=${1:?"usage: threads_never_cost.sh PROGRAM MODEL..."}
shift
CHUNKS=${CHUNKS:-1 2 7 64 512} THREADS=${THREADS:-1 2 4 8 16} NEIGHBOURS=${NEIGHBOURS:-0 1} PAIRS=${PAIRS:-9}
SECONDS_A_RUN=${SECONDS_A_RUN:-0.5} LIMIT=${LIMIT:-1.05}

work=$(mktemp -d)
busy=
finish() {
    for process in $busy; do kill "$process" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT

# write_input MODEL STEPS: as many tokens or rows of features as that, to $work/input.npy
write_input() {
    python3 - "$("$program" info "$1" | grep -E '^(input) ')" "$2" "$work/input.npy" <<'END'
import random, re, struct, sys
line, steps, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
random.seed(1)
tokens = re.search(r"vocabulary of ([\d,]+)", line)
if tokens:
    size = int(tokens.group(1).replace(",", ""))
    kind, shape, data = "<i4", "(%d,)" % steps, struct.pack("<%di" % steps, *(random.randrange(size) for _ in range(steps)))
else:
    width = int(re.search(r"([\d,]+) features? a step", line).group(1).replace(",", ""))
    n = steps * width
    kind, shape, data = "<f4", "(%d, %d)" % (steps, width), struct.pack("<%df" % n, *(random.random() for _ in range(n)))
head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (kind, shape)
head += " " * (63 - (10 + len(head)) % 64) + "\n"
open(path, "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)
END
}

# time_run MODEL CHUNK THREADS: microseconds, in $took
time_run() {
    local begin=${EPOCHREALTIME/[.,]/}
    "$program" run "$1" --in "$work/input.npy" --out "$work/output.npy" --chunk "$2" --threads "$3"
    took=$((${EPOCHREALTIME/[.,]/} - begin))
}

# steps_for MODEL CHUNK: how many steps take about SECONDS_A_RUN, in $steps
steps_for() {
    steps=64
    while :; do
        write_input "$1" "$steps"
        time_run "$1" "$2" 1
        if awk -v t="$took" -v s="$SECONDS_A_RUN" 'BEGIN { exit !(t >= 5e5 * s) }' || [ "$steps" -ge 4000000 ]; then
            return
        fi
        steps=$((steps * 2))
    done
}

# ratio MODEL CHUNK THREADS: the median of PAIRS ratios; which of both is first changes
ratio() {
    local i alone
    for ((i = 0; i < PAIRS; i++)); do
        if ((i % 2)); then
            time_run "$1" "$2" 1 && alone=$took
            time_run "$1" "$2" "$3"
        else
            time_run "$1" "$2" "$3" && local shared=$took
            time_run "$1" "$2" 1 && alone=$took
            took=$shared
        fi
        echo "$took $alone"
    done | awk '{ print $1 / $2 }' | sort -n | sed -n "$((PAIRS / 2 + 1))p"
}

printf '| model | busy neighbours | chunk |'
printf ' %s threads |' $THREADS
printf '\n|---|---|---|'
printf -- '---|%.0s' $THREADS
printf '\n'
worst=0
for neighbours in $NEIGHBOURS; do
    while [ "$(echo $busy | wc -w)" -lt "$neighbours" ]; do
        (while :; do :; done) &
        busy="$busy $!"
    done
    for model; do
        for chunk in $CHUNKS; do
            steps_for "$model" "$chunk"
            printf '| %s | %s | %s |' "$(basename "$model")" "$neighbours" "$chunk"
            for threads in $THREADS; do
                value=$(ratio "$model" "$chunk" "$threads")
                printf ' %.2f |' "$value"
                worst=$(awk -v a="$worst" -v b="$value" 'BEGIN { print (a > b ? a : b) }')
            done
            printf '\n'
        done
    done
done
printf '\nThe largest: %.3f times the time of one thread.\n' "$worst"
awk -v w="$worst" -v l="$LIMIT" 'BEGIN { exit w > l }'
