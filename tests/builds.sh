#!/bin/sh
# The sources build wherever a C compiler is, copied into a project with no flags of ours, and give the same bits
# (tests/bits.c) or refuse to compile. Cheap: one small program for each compiler.
#
#   tests/builds.sh [--require "musl tcc ..."] [NAME ...]     NAME: only these builds
#
# What is not installed is passed over and named; --require lists builds that must have been made. Closes with
# "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
require=
if [ "${1:-}" = --require ]; then require=$2; shift 2; fi
only=$*
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 made= expected=
models="examples/models/digits.b2s6 examples/models/digits-q8.b2s6"
sources="$(ls src/*.c src/*/*.c)"
warnings="-Wall -Wextra -Wshadow -Wundef -Wcast-qual -Werror"

verdict() { # NAME VERDICT WHAT: VERDICT ok or anything else
    if [ "$2" = ok ]; then passed=$((passed + 1)) made="$made $1"; else failed=$((failed + 1)); fi
    printf '%-12s %-8s %s\n' "$1" "$2" "$3"
}

wanted() { # NAME COMPILER
    case " ${only:-$1} " in *" $1 "*) ;; *) return 1 ;; esac
    command -v "${2%% *}" >/dev/null && return 0
    printf '%-12s %-8s %s\n' "$1" "-" "impossible here: ${2%% *} is not installed"
    return 1
}

compiled() { # COMMAND: objects of all sources in $work/o
    rm -rf "$work/o"
    mkdir "$work/o"
    printf '%s\n' $sources tests/bits.c | xargs -P2 -I{} sh -c "$1 -c {} -o $work/o/\$(echo {} | tr / _).o" >"$work/log" 2>&1
}

# bits NAME COMMAND [RUNNER [LINK]]: builds, runs, and compares with the first. RUNNER - : only built.
bits() {
    wanted "$1" "$2" || return
    if ! compiled "$2" || ! $2 ${4:-} -o "$work/bits" "$work"/o/*.o -lm >>"$work/log" 2>&1; then
        tail -n 5 "$work/log"
        verdict "$1" FAILED "$2: does not build"
        return
    fi
    if [ "${3:-}" = - ]; then
        verdict "$1" ok "$2: builds"
        return
    fi
    digest=$(${3:-} "$work/bits" $models 2>"$work/log" | tr -d '\r' | tr '\n' ' ')
    [ -n "$digest" ] || digest="nothing, but: $(tail -n 1 "$work/log")"
    [ -n "$expected" ] || expected=$digest
    if [ "$digest" = "$expected" ]; then verdict "$1" ok "$2: $digest"; else verdict "$1" FAILED "$2: $digest, not $expected"; fi
}

# checked NAME COMMAND: read by the compiler without one word
checked() {
    wanted "$1" "$2" || return
    if printf '%s\n' $sources | xargs $2 -fsyntax-only >"$work/log" 2>&1 && ! [ -s "$work/log" ]; then
        verdict "$1" ok "$2"
    else
        tail -n 5 "$work/log"
        verdict "$1" FAILED "$2"
    fi
}

# refused NAME COMMAND WORDS: does not compile, and says why
refused() {
    wanted "$1" "$2" || return
    if ! $2 -c src/crc32.c -o "$work/x.o" >"$work/log" 2>&1 && grep -q "$3" "$work/log"; then
        verdict "$1" ok "$2: refused, $3"
    else
        tail -n 5 "$work/log"
        verdict "$1" FAILED "$2: should be refused with $3"
    fi
}

# The first is what the others are compared with. -march=native and contraction allowed: the sources themselves forbid it.
bits cc "${CC:-cc} -O1"
bits gcc-O0 "gcc -O0"
bits gcc-native "gcc -O2 -march=native"
bits clang-native "clang -O2 -march=native"
bits tcc tcc
bits musl "musl-gcc -O1 $warnings"
# Where the system runs no 32-bit programs, QEMU does.
i386=
command -v qemu-i386 >/dev/null && i386="qemu-i386 -cpu max"
bits m32 "gcc -m32 -O1 -msse2 -mfpmath=sse $warnings" "$i386" -static
refused m32-x87 "gcc -m32" "msse2 -mfpmath=sse"
refused fast-math "gcc -Ofast" "ffast-math"
# Wine keeps its drives in a folder of its own here and says nothing of screens; Windows ends lines with \r\n.
WINEPREFIX="$work/wine" WINEDEBUG=-all DISPLAY=
export WINEPREFIX WINEDEBUG DISPLAY
wine=-
command -v wine >/dev/null && wine=wine
bits mingw "x86_64-w64-mingw32-gcc -O1 $warnings" $wine
for standard in c11 c2x; do
    checked gcc-$standard "gcc -std=$standard -pedantic $warnings"
    checked clang-$standard "clang -std=$standard -pedantic $warnings"
done
# What -Weverything has over these was looked through: a comparison of floats for equality is meant wherever there is one, int
# to size_t only of counts that are not negative, and the rest is style.
checked clang-narrowing "clang -std=c99 -Wimplicit-int-conversion -Wshorten-64-to-32 -Wunreachable-code -Werror"

for name in $require; do
    case " $made " in *" $name "*) ;; *) verdict "$name" FAILED "required, and was not made" ;; esac
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
