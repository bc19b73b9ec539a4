#!/bin/sh
# Old programs run on this library: the shared library against headers of other versions.
#
#   tests/abi.sh [BUILD]             BUILD holds libb2s6.so; CC and CFLAGS are taken from the environment
#   tests/abi.sh --declarations      prints b2s6.h without its comments, for a release: tests/abi/b2s6-VERSION.h
#
# tests/abi/b2s6-*.h    headers of the earlier versions of the same major version
# tests/abi/symbols.txt every function that the library has ever had. A new one is added to it; none goes away.
# tests/abi/layout.c    prints layouts and values; host.c uses all of the library
#
# An older program's structures are shorter and a newer one's longer: the one is made from the oldest header by leaving out the
# last members, the other from today's by adding some. Prints what does not hold, and last how much does.
cd "$(dirname "$0")/.." || exit 1

declarations() { # without comments and empty lines
    awk '{ line = $0; out = ""
           while (line != "") {
               at = index(line, inside ? "*/" : "/*")
               if (!inside) out = out (at ? substr(line, 1, at - 1) : line)
               line = at ? substr(line, at + 2) : ""
               if (at) inside = !inside
           }
           sub(/[ \t]+$/, "", out)
           if (out != "") print out }' "$1"
}

if test "${1:-}" = --declarations; then
    declarations b2s6.h
    exit
fi
build=${1:-build}
CC=${CC:-cc} CFLAGS=${CFLAGS:-}
model=examples/models/digits.b2s6
library=$build/libb2s6.so
. tests/checks.sh

compile() { # compile PROGRAM HEADER SOURCE [FLAGS...]: linked with the shared library
    program=$1 included=$2 source=$3
    shift 3
    # shellcheck disable=SC2086
    $CC -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -Wno-missing-field-initializers $CFLAGS "$@" \
        "-DB2S6_HEADER=\"$included\"" -o "$work/$program" "$source" -L"$build" -lb2s6
}

answers() { # answers PROGRAM: what it prints about the model, into a file of its name
    LD_LIBRARY_PATH=$build "$work/$1" "$model" >"$work/$1.answers"
    status=$?
    cat "$work/$1.answers"
    return $status
}

# The structures that grow, without their last members; with further ones.
older() {
    sed -e '/^    const char \*isa;$/d' -e '/^    const b2s6_observer \*observer;$/d' \
        -e '/^typedef struct b2s6_model_info/,/^} b2s6_model_info/{/^    uint32_t reserved;$/d;}' \
        -e '/^    uint32_t entry_count;$/d' \
        -e '/^    uint32_t n_groups;$/d' -e '/^    uint32_t d_mlp;$/d' -e '/^    b2s6_gated_norm gated_norm;$/d' \
        -e '/^    uint32_t norm_groups;$/d' -e 's/^\(#define B2S6_OPEN_OPTIONS .*\), NULL }$/\1 }/' \
        -e 's/^\(#define B2S6_RUN_OPTIONS .*\), NULL }$/\1 }/' "$1"
}
newer() { sed 's/^} b2s6_\(open_options\|run_options\|model_info\|layer_info\);$/    uint64_t later[5];\n&/' "$1"; }

# Function declarations, a line each.
functions() { tr '\n' ' ' <"$1" | sed 's/B2S6_API/\n&/g' | sed -n 's/^\(B2S6_API [^;]*;\).*/\1/p' | tr -s ' ' | LC_ALL=C sort; }

test -e "$library" || { echo "abi.sh: there is no shared library in $build"; exit 1; }
nm -D --defined-only "$library" | awk '{ print $3 }' | LC_ALL=C sort >"$work/symbols"
expect "no function went away, and new ones are in tests/abi/symbols.txt" diff tests/abi/symbols.txt "$work/symbols"

declarations b2s6.h >"$work/today.h"
expect "today's program compiles" compile today "$work/today.h" tests/abi/host.c
expect "today's program runs" answers today
expect "it says something" test "$(wc -l <"$work/today.answers")" -ge 7
expect "nothing but answers" sh -c "! grep -E 'written|refused|another|not' '$work/today.answers'"
expect "today's layout compiles" compile layout "$work/today.h" tests/abi/layout.c
LD_LIBRARY_PATH=$build "$work/layout" >"$work/layout.today"
functions "$work/today.h" >"$work/functions.today"

for header in tests/abi/b2s6-*.h; do
    name=$(basename "$header" .h)
    expect "$name: the program compiles" compile old "$PWD/$header" tests/abi/host.c
    expect "$name: the program runs" answers old
    expect "$name: and gets today's answers" diff "$work/today.answers" "$work/old.answers"
    expect "$name: the layout compiles" compile layout "$PWD/$header" tests/abi/layout.c
    LD_LIBRARY_PATH=$build "$work/layout" >"$work/layout.old"
    expect "$name: structures and values are the same" diff "$work/layout.old" "$work/layout.today"
    functions "$header" >"$work/functions.old"
    expect "$name: it declares functions" test "$(wc -l <"$work/functions.old")" -ge 33
    expect "$name: every function is declared as it was" \
        sh -c "! LC_ALL=C comm -23 '$work/functions.old' '$work/functions.today' | grep ."
done

grown() { # grown AGE FROM LINES: the header made from FROM has so many lines more, and its program gets today's answers
    expect "$1: members could be altered" test "$(wc -l <"$work/$1.h")" -eq $(($(wc -l <"$2") + $3))
    expect "$1: the program compiles" compile "$1" "$work/$1.h" tests/abi/host.c "-D$(echo "$1" | tr '[:lower:]' '[:upper:]')"
    expect "$1: the program runs" answers "$1"
    expect "$1: and gets today's answers" diff "$work/today.answers" "$work/$1.answers"
}
older tests/abi/b2s6-0.2.0.h >"$work/older.h"
grown older tests/abi/b2s6-0.2.0.h -8
newer "$work/today.h" >"$work/newer.h"
grown newer "$work/today.h" 4
finish
