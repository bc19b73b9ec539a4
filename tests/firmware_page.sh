#!/bin/sh
# docs/firmware.md word for word, in a fresh clone with a space in its path: its commands make files that its code compiles
# and links with, for a Cortex-M4F without a C library; the same code runs on this machine.
. "$(dirname "$0")/checks.sh"
page=docs/firmware.md
cd "$(dirname "$0")/.." && git clone -q . "$work/a clone" && cd "$work/a clone" || exit 1

make -s -j2 build/b2s6 amalgamation >"$work/out" 2>&1
report $? "make: $(tail -n 1 "$work/out")"
embed=$(grep -o 'build/b2s6 embed examples/[^`]*' $page)
$embed && mkdir firmware && cp digits.c digits.h build/amalgamation/b2s6.c build/amalgamation/b2s6.h firmware && cd firmware
report $? "the command: $embed"

compile=$(sed -n '/^ *arm-none-eabi-gcc/,/[^\\]$/p' ../$page | tr -d '\\\n')
$compile
report $? "the command: $compile"
sed -n '/^        #include "digits.h"/,/^   Every function/s/^        //p' ../$page >product.c
grep -q '^int model_step' product.c && grep -q 'b2s6_state_place' product.c
report $? "the page has no code any more"
${compile% b2s6.c digits.c} product.c ../examples/firmware/memory_functions.c && arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard \
    -mfpu=fpv4-sp-d16 -nostdlib -static -Wl,--gc-sections,--fatal-warnings -Wl,-e,model_step,-u,model_init -o product.elf \
    product.o b2s6.o digits.o memory_functions.o -lgcc
report $? "the code does not compile or link"

cat >main.c <<'END'
#include <stdio.h>
#include "digits.h"
int model_init(void);
int model_step(float sample, float scores[DIGITS_OUTPUT_SIZE]);
int main(void)
{
    float scores[DIGITS_OUTPUT_SIZE];
    int i, failed = model_init();

    for (i = 0; i < 64; i++)
        failed |= model_step((float)(i % 17) / 16, scores);
    printf("%d\n", failed);
    return failed;
}
END
"${CC:-cc}" -std=c99 -ffp-contract=off -fno-math-errno -o product main.c product.c b2s6.c digits.c -lm && ./product
report $? "the code does not run"

finish
