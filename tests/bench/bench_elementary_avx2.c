/* bench_elementary_avx2.c - src/kernel/elementary.h for AVX2 and FMA */
#if defined(__x86_64__)
#include "src/x86/vec_avx2.h"
#define TABLE bench_elementary_avx2
#define TABLE_ISA "avx2"
#include "bench_elementary_isa.h"
#else
typedef int bench_elementary_avx2_is_not_for_this_target;
#endif
