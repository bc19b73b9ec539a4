/* bench_elementary_avx512.c - src/kernel/elementary.h for AVX-512 */
#if defined(__x86_64__)
#include "src/x86/vec_avx512.h"
#define TABLE bench_elementary_avx512
#define TABLE_ISA "avx512"
#include "bench_elementary_isa.h"
#else
typedef int bench_elementary_avx512_is_not_for_this_target;
#endif
