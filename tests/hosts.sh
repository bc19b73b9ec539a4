#!/bin/sh
# The hosts in examples/ that are there to be copied: each is built by the command that stands in it, against the installed
# library, and does what it says.
#
#   tests/hosts.sh          from a built tree, or it builds; MAKE, CC, CXX and BUILD are taken from the environment
#
# Wants sqlite3, libsqlite3-dev and cmake. Closes with "N passed, N failed".
cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make} CC=${CC:-cc} CXX=${CXX:-c++} BUILD=${BUILD:-build}
. tests/checks.sh
tree=$PWD models=$PWD/examples/models
bytes=$models/bytes.b2s6 prefix=$work/prefix

expect "make install" $MAKE -s BUILD="$BUILD" install PREFIX="$prefix"
PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
export PKG_CONFIG_PATH LD_LIBRARY_PATH

# built FILE: by the line of its opening comment that has pkg-config in it, without a warning
built() {
    cp "$1" "$(dirname "$1")"/*.hpp "$work" 2>/dev/null
    line=$(sed -n 's/^ \*     \(.*pkg-config.*\)$/\1/p' "$1" | head -n 1)
    test -n "$line" || return 1
    line=$(printf '%s\n' "$line" | sed -e "s/^cc /$CC -std=c99 /" -e "s/^c++ /$CXX /" -e 's/ -o / -Wall -Wextra -Werror -pedantic -o /')
    (cd "$work" && eval "$line")
}

contains() { # contains TEXT COMMAND...: it succeeds and prints that
    text=$1
    shift
    "$@" >"$work/printed" 2>&1 || return 1
    grep -q -e "$text" "$work/printed" || { cat "$work/printed"; return 1; }
}
refused() { # refused TEXT COMMAND...: it fails, with one line that says so
    text=$1
    shift
    "$@" >"$work/printed" 2>&1 && return 1
    test "$(wc -l <"$work/printed")" -eq 1 && grep -q -e "$text" "$work/printed" || { cat "$work/printed"; return 1; }
}
lines() { # lines N: so many were printed
    test "$(wc -l <"$work/printed")" -eq "$1" || { cat "$work/printed"; return 1; }
}

# ------------------------------------------------------------------------------------------------------- host
expect "host builds" built examples/host/host.c
expect "host reads a seven" sh -c "'$work/host' '$models/digits.b2s6' <examples/host/seven.txt | sort -k2 -n | tail -n 1 | grep -q '^ 7'"

# ------------------------------------------------------------------------------------------------------- logwatch
logwatch() { (cd "$work" && ./logwatch "$@"); }
expect "logwatch builds" built examples/logwatch/logwatch.c
i=0
while [ $i -lt 200 ]; do
    [ $i -eq 150 ] && echo "kernel: Oops: unable to handle page fault at c0ffee"
    echo "cron: job $((i % 7)) finished in $((i % 5)) seconds"
    i=$((i + 1))
done >"$work/log"
expect "logwatch shows what is new" contains "Oops" logwatch "$bytes" 2 <"$work/log"
expect "and little else" test "$(wc -l <"$work/printed")" -le 8
expect "with 100 it shows every line" contains "job 6 finished" logwatch "$bytes" 100 <"$work/log"
expect "each of them" lines 201
expect "the new line above all later ones" sh -c "tail -n 60 '$work/printed' | sort -rn | head -n 1 | grep -q Oops"
printf 'no line feed at the end' >"$work/log"
expect "a last line without its end" contains "no line feed at the end" logwatch "$bytes" 100 <"$work/log"
(head -c 100000 /dev/zero; echo; echo after) >"$work/log"
expect "a line of 100,000 zero bytes" contains "after" logwatch "$bytes" 100 <"$work/log"
expect "no line at all" sh -c "'$work/logwatch' '$bytes' </dev/null"
expect "logwatch: no model" refused "nowhere.b2s6: the file cannot be opened" logwatch nowhere.b2s6
expect "logwatch: a model of digits" refused "not a language model of bytes" logwatch "$models/digits.b2s6"
expect "logwatch: no percent" refused "usage" logwatch "$bytes" 0
expect "logwatch: too much" refused "usage" logwatch "$bytes" 101

# ------------------------------------------------------------------------------------------------------- sqlite
sql() { (cd "$work" && sqlite3 -bail -batch :memory: ".load ./b2s6_sqlite" "$@"); }
score() { "$BUILD/b2s6" score --json "$bytes" "$1" | sed 's/.*"bits_per_byte": \([0-9.]*\).*/\1/'; }
expect "the extension builds" built examples/sqlite/b2s6_sqlite.c
head -c 5000 docs/using.md >"$work/text"
expect "it says what b2s6 score says" contains "^$(score "$work/text")\$" \
    sql "select printf('%.6f', b2s6_surprise('$bytes', readfile('text')))"
table="create table log(line); insert into log values ('The file is closed.'), ('zq}x;w'), ('The file is open.')"
expect "it ranks lines" contains "^zq}x;w\$" \
    sql "$table" "select line from log order by b2s6_surprise('$bytes', line) desc limit 1"
expect "NULL, empty, numbers, blobs, aggregates" contains "^null|0.0|real|1|3\$" sql "$table" \
    "select typeof(b2s6_surprise('$bytes', null)), b2s6_surprise('$bytes', ''), typeof(b2s6_surprise('$bytes', 4.5)),
            b2s6_surprise('$bytes', x'616263') = b2s6_surprise('$bytes', 'abc'), count(b2s6_surprise('$bytes', line)) from log"
cp "$bytes" "$work/bytes.b2s6"
expect "models that change from row to row" contains "^2\$" sql \
    "select count(b2s6_surprise(m, 'abc')) from (select '$bytes' as m union select '$work/bytes.b2s6')"
expect "sqlite: no model" refused "nowhere.b2s6: the file cannot be opened" sql "select b2s6_surprise('nowhere.b2s6', 'a')"
expect "sqlite: a model of digits" refused "not a language model of bytes" sql "select b2s6_surprise('$models/digits.b2s6', 'a')"
expect "sqlite: no path" refused "the path of a model is needed" sql "select b2s6_surprise(null, 'a')"

# ------------------------------------------------------------------------------------------------------- C++
expect "the C++ program builds" built examples/cpp/likelier.cpp
expect "and ranks" contains "a pointer to" "$work/likelier" "$bytes" "The function returns " "to pointer a" "a pointer to"
expect "the likelier first" sh -c "head -n 1 '$work/printed' | grep -q 'a pointer to'"
expect "C++: no model" refused "nowhere: the file cannot be opened" "$work/likelier" nowhere a b
expect "C++: a model of digits" refused "not a language model of bytes" "$work/likelier" "$models/digits.b2s6" a b
sanitized() {
    eval "$CXX -std=$1 -g -Wall -Wextra -Wshadow -Werror -fsanitize=address,undefined tests/hosts.cpp $(pkg-config --cflags --libs b2s6)" \
        "-o '$work/hosts'" && "$work/hosts" "$bytes" "$models/digits.b2s6"
}
expect "owners and errors, C++11" sanitized c++11
expect "owners and errors, C++20" sanitized c++20

# ------------------------------------------------------------------------------------------------------- CMake
cmakes() { # cmakes FOLDER OPTIONS...
    folder=$work/$1
    shift
    cmake -S examples/cmake -B "$folder" "$@" && cmake --build "$folder" -j2 && "$folder/likelier" "$bytes" "The " "file" "}{"
}
expect "CMake with the installed library" cmakes installed -DCMAKE_PREFIX_PATH="$prefix"
expect "CMake with the sources" cmakes sources -DB2S6_TREE="$tree" -DCMAKE_BUILD_TYPE=Debug # compiles sooner

for f in examples/host/host.c examples/logwatch/logwatch.c examples/sqlite/b2s6_sqlite.c examples/cpp/*.?pp examples/cmake/CMakeLists.txt; do
    expect "$f has less than 150 lines" test "$(wc -l <"$f")" -lt 150
done
finish
