#!/bin/sh
# Does the test runner notice failures? Runs the failing tests of failing.c and wants each of them reported.
#   check_runner.sh PROGRAM
. "$(dirname "$0")/checks.sh"
program=$1

output=$("$program" 2>&1)
status=$?
expect "exit status 1 after failures, not $status" test "$status" -eq 1
expect "last line '1 passed, 13 failed'" test "$(printf '%s\n' "$output" | tail -n 1)" = "1 passed, 13 failed"
for text in "failing.c:[0-9]*: 1 + 1 == 3" "1 is 1, not -1" "UINT64_MAX is 18446744073709551615, not 1" \
        '"b" is "b", not "a"' 'NULL is "(NULL)", not "a"' "zeros: byte 2 of 8 is 00, not 80" \
        "mixed: value 1 of 2 is -0 (80000000), not 1 (3f800000)" "mixed + 1: value 0 of 1 is -0" \
        "1.1 is 1.1.*, not 1 within 0.01" "is nan, not 1 within" "B2S6_OK gives 0 (.*), not 6 (.*)" \
        "B2S6_ERROR_MEMORY gives 2 (.*), not 0 (.*)" "failing.c:[0-9]*: on purpose \[the context\]"; do
    expect "report like '$text'" sh -c 'printf "%s\n" "$1" | grep -q -e "$2"' sh "$output" "$text"
done

output=$("$program" test_passes 2>&1)
status=$?
expect "exit status 0 when all pass, not $status" test "$status" -eq 0
expect "last line '1 passed, 0 failed'" test "$(printf '%s\n' "$output" | tail -n 1)" = "1 passed, 0 failed"

"$program" no-such-test >/dev/null 2>&1
status=$?
expect "exit status 1 when no test was run, not $status" test "$status" -eq 1

finish
