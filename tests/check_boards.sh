#!/bin/sh
# The packages for boards that "make boards" has made: their layouts, and their examples by the compilers of such boards. Where QEMU
# has the board the example runs, and says what the desktop says.
#
# Wants gcc-arm-none-eabi, gcc-riscv64-unknown-elf, qemu-system-arm and cmake.
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build} CC=${CC:-cc} PYTHON=${PYTHON:-python3}
. tests/checks.sh
tree=$PWD boards=$PWD/$BUILD/boards
case $BUILD in /*) boards=$BUILD/boards ;; esac
version=$(sed -n 's/^.define B2S6_VERSION_[MP][A-Z]* //p' b2s6.h | tr '\n' '.' | sed 's/\.$//')
# Debian's cross compilers come without a C library: nothing of one is asked for, square roots are instructions or the library's own.
warnings="-Wall -Wextra -Werror"
alone="-ffreestanding -fno-math-errno"
m4="arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16"
m0="arm-none-eabi-gcc -mcpu=cortex-m0plus -mthumb"
esp="riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32"

expect "layouts" "$PYTHON" tests/check_boards.py "$boards" "$version"
tail -n 1 "$work/output"

# ------------------------------------------------------------------------------------------------- what the desktop says
cat >"$work/main.c" <<'C'
#include <stdio.h>
#include "digits_demo.h"
static void print(const char *line) { puts(line); }
int main(void) { return digits_demo(print); }
C
desktop() {
    d=$boards/cmsis/b2s6
    $CC -O1 $warnings -I"$d" -I"$d/template" "$work/main.c" "$d"/template/*.c "$d/b2s6.c" -o "$work/demo" -lm && "$work/demo" >"$work/lines"
}
expect "the example on the desktop" desktop
expect "reads a seven" test "$(tail -n 1 "$work/lines")" = "row 8: it may be a 7"

# ------------------------------------------------------------------------------------------------- Arduino: a sketch is C++
mkdir "$work/core" "$work/objects"
cat >"$work/core/Arduino.h" <<'C'
/* as much of a core as the sketch asks for */
#include <stddef.h>
struct Port { void begin(unsigned long); void println(const char *); operator bool(); };
extern Port Serial;
void setup(void);
void loop(void);
C
sketch() { # COMPILER...
    a=$boards/arduino/b2s6
    for f in "$a"/src/*.c "$a"/examples/Digits/*.c; do
        "$@" -Os -std=gnu11 -ffunction-sections -fdata-sections $alone $warnings -I"$a/src" -c "$f" -o "$work/objects/$(basename "$f").o" || return 1
    done
    "$@" -Os -std=gnu++14 -x c++ -fno-exceptions -fno-rtti $alone $warnings -include "$work/core/Arduino.h" -I"$a/src" \
        -c "$a/examples/Digits/Digits.ino" -o "$work/objects/sketch.o"
}
for compiler in "$m4" "$m0" "$esp"; do expect "the sketch: $compiler" sketch $compiler; done

# ------------------------------------------------------------------------- on a board: Arduino's objects, an emulator's port
cat >"$work/board.c" <<'C'
#include "board.h"
#include "digits_demo.h"
static void print(const char *line)
{
    while (*line)
        board_put(*line++);
    board_put('\n');
}
int program(void) { return digits_demo(print); }
C
on_board() {
    a=$boards/arduino/b2s6 fw=$tree/examples/firmware
    rm -f "$work/objects"/*
    sketch $m4 && rm "$work/objects/sketch.o" || return 1
    $m4 -Os -ffreestanding -ffunction-sections -nostdlib -static -Wl,--gc-sections -Wl,--no-warn-rwx-segments -L"$fw" -I"$fw" -I"$tree" \
        -I"$a/examples/Digits" -fno-tree-loop-distribute-patterns -T mps2_an386.ld -o "$work/image.elf" "$work/board.c" "$work"/objects/*.o \
        "$fw/start_cortex_m.c" "$fw/board_mps2_an386.c" "$fw/memory_functions.c" -lgcc &&
        timeout 60 qemu-system-arm -M mps2-an386 -semihosting-config enable=on,target=native -nographic -monitor none -serial stdio \
            -kernel "$work/image.elf" </dev/null | tr -d '\r' >"$work/board-lines" && diff "$work/lines" "$work/board-lines"
}
expect "a Cortex-M4F says what the desktop says" on_board

# ------------------------------------------------------- ESP-IDF and Zephyr: their CMake functions, as far as they are called
cat >"$work/idf.cmake" <<'C'
macro(idf_component_register)
    cmake_parse_arguments(A "" "" "SRCS;INCLUDE_DIRS;REQUIRES" ${ARGN})
    get_filename_component(name "${CMAKE_CURRENT_SOURCE_DIR}" NAME)
    add_library(${name} STATIC ${A_SRCS})
    target_include_directories(${name} PUBLIC ${A_INCLUDE_DIRS})
    target_link_libraries(${name} PUBLIC ${A_REQUIRES})
endmacro()
C
idf() {
    mkdir -p "$work/idf/b2s6" "$work/idf/include"
    cp -R "$boards"/esp-idf/b2s6/. "$work/idf/b2s6"
    echo 'int puts(const char *s);' >"$work/idf/include/stdio.h"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.16)' 'project(check C)' "include($work/idf.cmake)" \
        "include_directories(SYSTEM $work/idf/include)" 'add_subdirectory(b2s6)' 'add_subdirectory(b2s6/examples/digits/main)' >"$work/idf/CMakeLists.txt"
    cmake -S "$work/idf" -B "$work/idf/build" -DCMAKE_SYSTEM_NAME=Generic -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY \
        -DCMAKE_C_COMPILER=riscv64-unknown-elf-gcc -DCMAKE_C_FLAGS="$alone -Os -march=rv32imc -mabi=ilp32 $warnings" && cmake --build "$work/idf/build"
}
expect "ESP-IDF's component and example" idf

zephyr() { # OPTIONS: of Kconfig that are on
    rm -rf "$work/zephyr"
    mkdir -p "$work/zephyr/include/zephyr/sys"
    cp -R "$boards"/zephyr/b2s6 "$work/zephyr/module"
    echo 'void printk(const char *format, ...);' >"$work/zephyr/include/zephyr/sys/printk.h"
    cat >"$work/zephyr/CMakeLists.txt" <<'C'
cmake_minimum_required(VERSION 3.20)
project(check C)
add_library(interface INTERFACE)
function(zephyr_include_directories)
    get_filename_component(folder "${ARGN}" ABSOLUTE)
    target_include_directories(interface INTERFACE "${folder}")
endfunction()
function(zephyr_library)
    add_library(module STATIC)
    target_link_libraries(module PUBLIC interface)
endfunction()
function(zephyr_library_sources)
    target_sources(module PRIVATE ${ARGN})
endfunction()
function(zephyr_compile_definitions_ifndef option)
    if(NOT ${option})
        target_compile_definitions(interface INTERFACE ${ARGN})
    endif()
endfunction()
include_directories(SYSTEM include)
add_subdirectory(module/zephyr)
file(GLOB sample module/samples/digits/src/*.c)
add_library(sample STATIC ${sample})
target_link_libraries(sample PRIVATE module)
C
    cmake -S "$work/zephyr" -B "$work/zephyr/build" -DCMAKE_SYSTEM_NAME=Generic -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY \
        -DCMAKE_C_COMPILER=arm-none-eabi-gcc -DCMAKE_C_FLAGS="$alone -Os -mcpu=cortex-m4 -mthumb $warnings" \
        $(for o in $1; do printf ' -D%s=y' "CONFIG_$o"; done) && cmake --build "$work/zephyr/build"
}
expect "Zephyr's module and sample" zephyr "B2S6 B2S6_MAMBA B2S6_MAMBA2 B2S6_OTHER_UNITS"
whole=$(arm-none-eabi-size -A "$work/zephyr/build/module/zephyr/libmodule.a" | awk '/text|rodata/ { n += $2 } END { print n }')
expect "with less" zephyr "B2S6"
less=$(arm-none-eabi-size -A "$work/zephyr/build/module/zephyr/libmodule.a" | awk '/text|rodata/ { n += $2 } END { print n }')
expect "which is smaller: $less, not $whole bytes" test "$less" -lt "$whole"

expect "all packages have the same library" sh -c "cd '$boards' && cmp arduino/b2s6/src/b2s6.c esp-idf/b2s6/b2s6.c && cmp zephyr/b2s6/b2s6.c cmsis/b2s6/b2s6.c"
finish
