/* bench_elementary.c - the table of plain C, and which table an instruction set uses */
#include "src/portable/vec.h"
#define TABLE bench_elementary_portable
#define TABLE_ISA "portable"
#include "bench_elementary_isa.h"

#include <string.h>

#if defined(__x86_64__)
extern const bench_elementary bench_elementary_sse2, bench_elementary_avx2, bench_elementary_avx512;
#elif defined(__aarch64__)
extern const bench_elementary bench_elementary_neon;
#endif

const bench_elementary *bench_elementary_of(const char *isa)
{
#if defined(__x86_64__)
    if (strncmp(isa, "avx512", 6) == 0 || strcmp(isa, "amx") == 0)
        return &bench_elementary_avx512;
    if (strcmp(isa, "avx2") == 0)
        return &bench_elementary_avx2;
    if (strcmp(isa, "sse2") == 0)
        return &bench_elementary_sse2;
#elif defined(__aarch64__)
    if (strncmp(isa, "neon", 4) == 0)
        return &bench_elementary_neon;
#endif
    (void)isa;
    return &bench_elementary_portable;
}
