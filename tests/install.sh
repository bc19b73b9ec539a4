#!/bin/sh
# What a packager and a user of the installed library meet: make install, pkg-config, the README's program, make uninstall.
#
#   tests/install.sh        from a built tree, or it builds; MAKE, CC, CXX and BUILD are taken from the environment
#
# Prints what does not hold, and last how much does.
cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make} CC=${CC:-cc} CXX=${CXX:-c++} BUILD=${BUILD:-build}
export CC
. tests/checks.sh

same() { # same A B: two texts, their difference if there is one
    [ "$1" = "$2" ] || { printf 'found:    %s\nexpected: %s\n' "$1" "$2"; return 1; }
}

files_below() { # sorted, without the folder's own name
    (cd "$1" && find . ! -type d | LC_ALL=C sort | tr '\n' ' ')
}

number() { sed -n "s/^.define B2S6_VERSION_$1 //p" b2s6.h; }
version=$(number MAJOR).$(number MINOR).$(number PATCH)
case $(number MAJOR) in 0) soversion=0.$(number MINOR) ;; *) soversion=$(number MAJOR) ;; esac
installed="./bin/b2s6 ./include/b2s6.h ./lib/cmake/b2s6/b2s6-config-version.cmake ./lib/cmake/b2s6/b2s6-config.cmake ./lib/libb2s6.a ./lib/libb2s6.so ./lib/libb2s6.so.$soversion ./lib/libb2s6.so.$version \
./lib/pkgconfig/b2s6.pc ./share/bash-completion/completions/b2s6 ./share/fish/vendor_completions.d/b2s6.fish \
./share/man/man1/b2s6.1 ./share/man/man3/b2s6.3 ./share/zsh/site-functions/_b2s6 "

run_make() { $MAKE -s BUILD="$BUILD" "$@"; }

expect "make builds" run_make all

# ------------------------------------------------------------------------------------------------ a prefix with a space
prefix="$work/a prefix"
expect "make install with a space in PREFIX" run_make install PREFIX="$prefix"
expect "installed files" same "$(files_below "$prefix")" "$installed"

unset PKG_CONFIG_PATH
PKG_CONFIG_LIBDIR="$prefix/lib/pkgconfig" # nothing else is found
export PKG_CONFIG_LIBDIR
expect "pkg-config knows the version" same "$(pkg-config --modversion b2s6)" "$version"
expect "pkg-config accepts the file" pkg-config --validate b2s6

# The README's first C program that has a main, built with what pkg-config says and nothing else.
awk '/^```c$/ { take = 1; text = ""; next } /^```$/ { if (take && text ~ /main\(/) { printf "%s", text; exit } take = 0 }
     take { text = text $0 "\n" }' README.md >"$work/readme.c"
expect "README.md has a program" test -s "$work/readme.c"
link() { eval "$CC -o '$work/$1' '$work/$2' $(pkg-config "$3" --cflags --libs b2s6)"; }
expect "the README's program builds with pkg-config alone" link readme readme.c --shared
cat >"$work/version.c" <<'C'
#include <b2s6.h>
#include <stdio.h>
int main(void)
{
    puts(b2s6_version_text());
    return b2s6_version() != 10000 * B2S6_VERSION_MAJOR + 100 * B2S6_VERSION_MINOR + B2S6_VERSION_PATCH;
}
C
expect "a program links with the shared library" link version version.c --shared
expect "and finds it" same "$(LD_LIBRARY_PATH="$prefix/lib" "$work/version")" "$version"
expect "by its soname" sh -c "readelf -d '$work/version' | grep -q 'NEEDED.*libb2s6.so.$soversion\]'"
static() { eval "$CC -o '$work/static' '$work/version.c' $(pkg-config --cflags b2s6) '$prefix/lib/libb2s6.a' -lm"; }
expect "a program links with the static library" static
expect "and runs" same "$("$work/static")" "$version"
# ------------------------------------------------------------------------- the program and its library, wherever they are
unset LD_LIBRARY_PATH
library_of() { ldd "$1" | sed -n 's/^[[:space:]]*libb2s6[^ ]* => \(.*\) (0x.*/\1/p'; }
uses() { # uses PROGRAM LIBRARY: the program runs, and its library is this file
    same "$("$1" --version)" "b2s6 $version" && same "$(cd "$(dirname "$(library_of "$1")")" && pwd -P)" "$(cd "$(dirname "$2")" && pwd -P)"
}
runpath() { readelf -d "$1" | sed -n 's/.*(R[UN]*PATH).*\[\(.*\)\]/\1/p'; }
expect "the program in the build folder uses the library there" uses "$BUILD/b2s6" "$BUILD/libb2s6.so"
expect "and asks for it by soname" sh -c "readelf -d '$BUILD/b2s6' | grep -q 'NEEDED.*libb2s6.so.$soversion\]'"
expect "the installed program uses the installed library" uses "$prefix/bin/b2s6" "$prefix/lib/libb2s6.so"
expect "which it finds from where it is itself" same "$(runpath "$prefix/bin/b2s6")" "\$ORIGIN/../lib"
mv "$prefix" "$work/moved here"
expect "moved as a whole, too" uses "$work/moved here/bin/b2s6" "$work/moved here/lib/libb2s6.so"
ln -s "$work/moved here/bin/b2s6" "$work/link"
expect "called by a symbolic link, too" same "$("$work/link" --version)" "b2s6 $version" # ldd would resolve it otherwise
mv "$work/moved here" "$prefix"

mkdir "$work/real"
ln -s "$work/real" "$work/alias"
install_odd() { # folders that have little in common
    run_make install PREFIX="$work/alias//odd" BINDIR="$work/alias/odd/./programs/by hand/" LIBDIR="$work/alias/odd/lib, 64/deep"
}
expect "make install with unusual folders" install_odd
expect "the program there uses the library there" uses "$work/real/odd/programs/by hand/b2s6" "$work/real/odd/lib, 64/deep/libb2s6.so"
install_staged() { run_make install DESTDIR="$work/the root" PREFIX=/opt/b2s6 LIBDIR=/opt/b2s6/lib/multi; }
expect "make install with DESTDIR, PREFIX and LIBDIR" install_staged
expect "the staged program uses the staged library" uses "$work/the root/opt/b2s6/bin/b2s6" "$work/the root/opt/b2s6/lib/multi/libb2s6.so"
expect "and knows nothing of the stage" same "$(runpath "$work/the root/opt/b2s6/bin/b2s6")" "\$ORIGIN/../lib/multi"
one_folder() { run_make install PREFIX="$work/one" BINDIR="$work/one" LIBDIR="$work/one"; }
expect "make install with all in one folder" one_folder
expect "the program in one folder with its library" uses "$work/one/b2s6" "$work/one/libb2s6.so"
expect "make install RPATH=no" run_make install RPATH=no PREFIX="$work/plain"
expect "leaves no path in the program" same "$(runpath "$work/plain/bin/b2s6")" ""
expect "which then finds what the system finds" same "$(LD_LIBRARY_PATH="$prefix/lib" "$work/plain/bin/b2s6" --version)" "b2s6 $version"

# Another prefix without a clean in between: nothing of the first one stays.
second="$work/second"
expect "make install with another PREFIX" run_make install PREFIX="$second"
expect "its pkg-config file names it" same "$(PKG_CONFIG_LIBDIR="$second/lib/pkgconfig" pkg-config --variable=prefix b2s6)" \
    "$second"

# Other folders, and a staging root.
stage="$work/a stage"
expect "make install with DESTDIR and folders" run_make install DESTDIR="$stage" PREFIX=/usr LIBDIR=/usr/lib/multi
expect "staged files" same "$(files_below "$stage")" "./usr/bin/b2s6 ./usr/include/b2s6.h \
./usr/lib/multi/cmake/b2s6/b2s6-config-version.cmake ./usr/lib/multi/cmake/b2s6/b2s6-config.cmake ./usr/lib/multi/libb2s6.a \
./usr/lib/multi/libb2s6.so ./usr/lib/multi/libb2s6.so.$soversion ./usr/lib/multi/libb2s6.so.$version ./usr/lib/multi/pkgconfig/b2s6.pc \
./usr/share/bash-completion/completions/b2s6 ./usr/share/fish/vendor_completions.d/b2s6.fish \
./usr/share/man/man1/b2s6.1 ./usr/share/man/man3/b2s6.3 ./usr/share/zsh/site-functions/_b2s6 "
expect "DESTDIR is not in the pkg-config file" sh -c "! grep -q 'a stage' '$stage/usr/lib/multi/pkgconfig/b2s6.pc'"
staged() { PKG_CONFIG_LIBDIR="$stage/usr/lib/multi/pkgconfig" pkg-config "$@" b2s6; }
expect "LIBDIR is" same "$(staged --variable=libdir)" "/usr/lib/multi"
expect "symbolic links stay inside" sh -c "readlink '$stage/usr/lib/multi/libb2s6.so' | grep -qv /"

# ---------------------------------------------------------------------------------------------------------------- CMake
# A project that knows nothing but find_package, against prefixes as they are installed, moved, linked to, and incomplete.
configures() { # configures PREFIX WANTED FOLDER: in a new build folder; PREFIX may be the package's own folder, too
    rm -rf "$work/$3"
    case $1 in */cmake/b2s6) set -- "$1" "$2" "$3" b2s6_DIR ;; *) set -- "$1" "$2" "$3" CMAKE_PREFIX_PATH ;; esac
    cmake -S "$work/consumer" -B "$work/$3" -DCMAKE_C_COMPILER="${CC##* }" "-D$4=$1" -DWANTED="$2"
}
refused() { # refused TEXT PREFIX WANTED: with this in the message
    ! configures "$2" "$3" refused >"$work/cmake.log" 2>&1 && tr -s ' \n' ' ' <"$work/cmake.log" | grep -q -e "$1" && return
    cat "$work/cmake.log"
    return 1
}
consumer_runs() { # consumer_runs PREFIX WANTED LIBDIR: both programs, the one with this folder's shared library
    configures "$1" "$2" consumer-build && cmake --build "$work/consumer-build" &&
        same "$("$work/consumer-build/with-shared")" "$version" && same "$("$work/consumer-build/with-static")" "$version" &&
        same "$(cd "$(dirname "$(library_of "$work/consumer-build/with-shared")")" && pwd -P)" "$(cd "$3" && pwd -P)" &&
        same "$(library_of "$work/consumer-build/with-static")" ""
}
if command -v cmake >/dev/null; then
    mkdir "$work/consumer"
    cp "$work/version.c" "$work/consumer"
    cat >"$work/consumer/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.5)
project(consumer C)
find_package(b2s6 ${WANTED} REQUIRED CONFIG)
find_package(b2s6 ${WANTED} REQUIRED CONFIG) # as two parts of a project do
add_executable(with-shared version.c)
target_link_libraries(with-shared b2s6::b2s6)
add_executable(with-static version.c)
target_link_libraries(with-static b2s6::static)
CMAKE
    major=$(number MAJOR) minor=$(number MINOR)
    expect "CMake finds it in a prefix with a space" consumer_runs "$prefix" "$major.$minor" "$prefix/lib"
    mv "$prefix" "$work/moved for CMake"
    expect "and moved" consumer_runs "$work/moved for CMake" "$version" "$work/moved for CMake/lib"
    mv "$work/moved for CMake" "$prefix"
    expect "and with library and program in one folder" consumer_runs "$work/one/cmake/b2s6" "" "$work/one"
    expect "and staged" consumer_runs "$stage/usr/lib/multi/cmake/b2s6" "" "$stage/usr/lib/multi"
    mkdir "$work/merged" # as /lib is /usr/lib
    ln -s "$prefix/lib" "$work/merged/lib"
    expect "and through a link to its folder alone" consumer_runs "$work/merged" "$version" "$prefix/lib"
    expect "another minor version is refused" refused "not accepted" "$prefix" "$major.$((minor + 1))"
    expect "a later patch is refused" refused "not accepted" "$prefix" "$major.$minor.99"
    expect "another major version is refused" refused "not accepted" "$prefix" "$((major + 1)).$minor"
    cp -R "$prefix" "$work/incomplete"
    rm "$work/incomplete/include/b2s6.h"
    expect "without its header it says what to do" refused "b2s6.h is not where.*install b2s6 again" "$work/incomplete" ""
    rm "$work/incomplete/lib/"libb2s6*
    cp b2s6.h "$work/incomplete/include"
    expect "without its libraries, too" refused "has neither.*install b2s6 again" "$work/incomplete" ""
else
    echo "not run here: the CMake package; install cmake" >&2
fi

expect "make uninstall" run_make uninstall PREFIX="$prefix"
expect "uninstall leaves no file" same "$(files_below "$prefix")" ""
expect "make uninstall with DESTDIR" run_make uninstall DESTDIR="$stage" PREFIX=/usr LIBDIR=/usr/lib/multi
expect "uninstall leaves no staged file" same "$(files_below "$stage")" ""

# --------------------------------------------------------------------------------------------------------------- header
printf '#include "b2s6.h"\nint main() { b2s6_open_options o = B2S6_OPEN_OPTIONS; b2s6_run_options r = B2S6_RUN_OPTIONS;\n
return static_cast<int>(o.flags + r.flags); }\n' >"$work/header.cpp"
printf '#include "b2s6.h"\nint main(void) { return (int)b2s6_version() == 0; }\n' >"$work/header.c"
expect "the header is C++11" $CXX -std=c++11 -pedantic -Wall -Wextra -Wold-style-cast -Werror -I. -fsyntax-only "$work/header.cpp"
for standard in c99 c11 c17; do
    expect "the header is $standard" $CC -std=$standard -pedantic -Wall -Wextra -Wundef -Werror -I. -fsyntax-only "$work/header.c"
done

# -------------------------------------------------------------------------------------------------------------- symbols
# Every function of the header is there, and nothing else.
sed 's/B2S6_API//' b2s6.h | tr '\n' ' ' | sed 's|/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/||g' | grep -o 'b2s6_[a-z0-9_]* *(' | tr -d ' (' |
    grep -vx 'b2s6_[a-z_]*_task' | LC_ALL=C sort -u >"$work/declared"
nm -D --defined-only "$BUILD/libb2s6.so.$soversion" | awk '{ print $3 }' | LC_ALL=C sort >"$work/exported"
expect "the shared library exports what the header declares" diff "$work/declared" "$work/exported"
expect "exported symbols are functions" sh -c "! nm -D --defined-only '$BUILD/libb2s6.so.$soversion' | grep -v ' T '"
nm --defined-only -g "$BUILD/libb2s6.a" 2>/dev/null | awk 'NF == 3 { print $3 }' | grep -v '^b2s6_' >"$work/unprefixed"
expect "every global symbol of the static library begins with b2s6_" test ! -s "$work/unprefixed"

# No global that can change: nothing in .data, .bss or thread-local storage.
size -A "$BUILD/libb2s6.a" | awk '$1 ~ /^\.(data|bss|tdata|tbss)$|^\.(data|bss|tdata|tbss)\.[^r]/ && $2 > 0' >"$work/mutable"
expect "no mutable data" test ! -s "$work/mutable"

# What the library takes from outside: memory, strings, files, the square root; malloc and files from one source each.
nm -g "$BUILD/libb2s6.a" 2>/dev/null | awk 'NF == 2 && $1 == "U" { print $2 } NF == 3 { print $3 " defined" }' | LC_ALL=C sort -u |
    awk '$2 == "defined" { known[$1] } $2 == "" { used[$1] } END { for (s in used) if (!(s in known)) print s }' |
    grep -vxE 'mem(cpy|set|move|cmp|chr)|str(len|cmp)|malloc|free|sqrtf?|fmaf?|open|close|fstat|mmap|munmap|syscall' |
    grep -vxE '_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__(open|fstat)?64|open64|fstat64|mmap64|getauxval|__cpu_model|__cpu_indicator_init' \
        >"$work/foreign"
expect "no other symbol is needed" sh -c "! cat '$work/foreign' | grep ."
users_of() { # the objects that need one of these symbols
    nm -A -u "$BUILD/libb2s6.a" 2>/dev/null | grep -E " U ($1)\$" | sed 's/^[^:]*:\([^:]*\):.*/\1/' | sort -u | tr '\n' ' '
}
expect "malloc is needed in memory.o alone" same "$(users_of 'malloc|free|calloc|realloc')" "memory.o "
expect "files are needed in file.o alone" same "$(users_of 'open|open64|close|fstat|fstat64|mmap|mmap64|munmap')" "file.o "
asking=$(users_of 'syscall|getauxval') # not on every machine
expect "the system is asked in isas.o alone" same "${asking:-isas.o }" "isas.o "

finish
