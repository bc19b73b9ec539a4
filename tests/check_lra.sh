#!/bin/sh
# The generators of the Long Range Arena's tasks and the program that answers them: bytes as ever, models as ever, refusals.
#   CC=... check_lra.sh LIBRARY TESTS
. "$(dirname "$0")/checks.sh"
library=$1 root=$2/.. source=$2/../examples/pytorch models=$2/../examples/models

for name in listops pathfinder; do
    expect "$name.c compiles without a warning" ${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror -O2 -o "$work/$name" "$source/$name.c"
done
expect "answer.c compiles without a warning" ${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror -O2 -I"$root" -o "$work/answer" \
    "$source/answer.c" "$library" -lm

same() { # same WHAT FILE CKSUM
    got=$(cksum <"$2" | tr ' ' /)
    test "$got" = "$3"
    report $? "$1: $got, not $3"
}

refused() { # refused PROGRAM TEXT ARGUMENTS...: a failure, nothing on stdout, one line with TEXT
    tool=$1 says=$2
    shift 2
    if "$work/$tool" "$@" >"$work/out" 2>"$work/err"; then
        report 1 "$tool $*: not refused"
    else
        test ! -s "$work/out" && test "$(wc -l <"$work/err")" -eq 1 && grep -q -e "$says" "$work/err"
        report $? "$tool $*: not '$says' but $(head -n 1 "$work/err")"
    fi
}

# ----------------------------------------------------------------------------------------------------------- generators
mkdir "$work/l" "$work/p" "$work/easy"
expect "500 lists" "$work/listops" 0 "$work/l" 0 0 500
expect "they are the shipped ones" cmp "$work/l/test.bin" "$models/listops-test.bin"
expect "300 images" "$work/pathfinder" 0 "$work/p" 2 2 300
expect "they are the shipped ones" cmp "$work/p/test.bin" "$models/pathfinder-test.bin"
same "their snakes" "$work/p/test.snakes" 553539373/72628
same "training images" "$work/p/train.bin" 2396874200/2078
same "validation images" "$work/p/valid.bin" 4162804211/2078
expect "images with other snakes" "$work/pathfinder" 7 "$work/easy" 0 0 20 4 1
test "$(wc -c <"$work/easy/test.snakes")" -eq $((28 + 20 * (2 + 5 * 9)))
report $? "20 images of 9 paddles have $(wc -c <"$work/easy/test.snakes") bytes of snakes"

refused listops "usage: " 0
refused listops "SHORTEST and LONGEST" 0 "$work" 1 1 1 9 8
refused pathfinder "usage: " 0 "$work" 1
refused pathfinder "CONTOUR is 3 to 14" 0 "$work" 1 1 1 2 5
refused pathfinder "CONTOUR is 3 to 14" 0 "$work" 1 1 1 14 13
refused pathfinder "at most 4000000" 0 "$work" 4000001 1 1
refused pathfinder "cannot write $work/none/test.bin" 0 "$work/none" 1 1 1

# -------------------------------------------------------------------------------------------------------------- answers
answers() { # answers TEXT ARGUMENTS...
    says=$1
    shift
    "$work/answer" "$@" >"$work/out" 2>"$work/err"
    report $? "answer $*: $(head -n 1 "$work/err")"
    test "$(cat "$work/out")" = "$says"
    report $? "answer $*: not '$says' but $(cat "$work/out")"
}
answers "11 of 20 right, 55.00 %" "$models/listops-q8.b2s6" "$models/listops-test.bin" "$work/scores" 0 20
answers "19 of 20 right, 95.00 %" "$models/pathfinder-q8.b2s6" "$models/pathfinder-test.bin" "$work/whole" 0 20
"$work/answer" "$models/pathfinder-q8.b2s6" "$models/pathfinder-test.bin" "$work/a" 0 7 >"$work/out"
"$work/answer" "$models/pathfinder-q8.b2s6" "$models/pathfinder-test.bin" "$work/b" 7 13 >"$work/out"
cat "$work/a" "$work/b" >"$work/parts"
expect "parts have the scores of the whole" cmp "$work/parts" "$work/whole"

refused answer "usage: " model
refused answer "FIRST and COUNT" "$models/pathfinder-q8.b2s6" "$models/pathfinder-test.bin" "$work/a" 300 1
refused answer "FIRST and COUNT" "$models/pathfinder-q8.b2s6" "$models/pathfinder-test.bin" "$work/a" 1 300
refused answer "does not take tokens" "$models/pathfinder-q8.b2s6" "$models/listops-test.bin"
refused answer "does not take pixels" "$models/listops-q8.b2s6" "$models/pathfinder-test.bin"
refused answer "not a classifier" "$models/bytes.b2s6" "$models/listops-test.bin"
refused answer "not a file of sequences" "$models/listops-q8.b2s6" "$models/digits-test.bin"
head -c 300000 "$models/pathfinder-test.bin" >"$work/cut"
refused answer "size does not fit" "$models/pathfinder-q8.b2s6" "$work/cut"
finish
