/*
 * elementary_exhaustive.c - the error of every unary function over all 2^32 floats
 *
 *     cc -std=c99 -O2 -o elementary_exhaustive tests/tools/elementary_exhaustive.c tests/elementary_*.c -lm
 *     elementary_exhaustive [isa [function [stride]]]
 *
 * With stride 1 (the default) about five minutes on one core; prints the bits' digest as well.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../elementary.h"

static void scan(const elementary_table *table, int f, uint32_t stride)
{
    const elementary_error e = elementary_scan(table, f, 0, UINT32_MAX, stride);
    float x;
    memcpy(&x, &e.at, sizeof x);
    printf("%-10s %-9s max %.4f ulp at %a (%.9g), %" PRIu64 " wrong\n", table->isa, elementary_functions[f].name, e.ulp,
           (double)x, (double)x, e.wrong);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *isa = argc > 1 ? argv[1] : NULL, *name = argc > 2 ? argv[2] : NULL;
    const uint32_t stride = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 1;
    const elementary_table *tables[8];
    const size_t n = elementary_tables(tables);
    for (size_t i = 0; i < n; i++) {
        if (isa ? strcmp(isa, tables[i]->isa) != 0 : i + 1 < n)
            continue;
        printf("%-10s digest %016" PRIx64 "\n", tables[i]->isa, elementary_digest(tables[i]));
        for (int f = 0; f < ELEMENTARY_UNARY; f++)
            if (!name || strcmp(name, elementary_functions[f].name) == 0)
                scan(tables[i], f, stride ? stride : 1);
    }
    return 0;
}
