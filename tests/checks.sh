# What the shell tests share; each begins with: . "$(dirname "$0")/checks.sh"
#
# A script's name stands before every line that it prints. "$work" is an empty folder, gone at the end; finish ends the script.
set -u
script=$(basename "$0")
passed=0
failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

report() { # report STATUS TEXT: one check; 0 has passed, else the text says what is wrong
    if test "$1" -eq 0; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$script: $2" >&2
    fi
}

expect() { # expect WHAT COMMAND...: the command succeeds, or what it printed is shown
    what=$1
    shift
    "$@" >"$work/output" 2>&1
    result=$?
    report $result "not so: $what"
    test $result -eq 0 || sed 's/^/    /; 20q' "$work/output" >&2
}

# ------------------------------------------------------------------------- the command line program, "$program" in these

runs() { # runs ARGUMENTS...: exit status 0, nothing on stderr
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    test "$status" -eq 0 && test ! -s "$work/err"
    report $? "b2s6 $*: status $status, $(head -n 1 "$work/err")"
}

fails() { # fails STATUS TEXT ARGUMENTS...: this exit status, nothing on stdout, one line on stderr with TEXT
    wanted=$1 says=$2
    shift 2
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    test "$status" -eq "$wanted" && test ! -s "$work/out" && test "$(wc -l <"$work/err")" -eq 1 &&
        grep -q "^b2s6: .*$says" "$work/err"
    report $? "b2s6 $*: status $status and not $wanted with '$says': $(head -n 1 "$work/err")"
}

said() { # said TEXT: the last run printed it
    grep -q -e "$1" "$work/out"
    report $? "output without '$1': $(head -n 1 "$work/out")"
}

finish() {
    echo "$script: $passed passed, $failed failed"
    exit $((failed != 0))
}
