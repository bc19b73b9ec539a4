/* bench_elementary_neon.c - src/kernel/elementary.h for AArch64 NEON */
#if defined(__aarch64__)
#include "src/arm/vec_neon.h"
#define TABLE bench_elementary_neon
#define TABLE_ISA "neon"
#include "bench_elementary_isa.h"
#else
typedef int bench_elementary_neon_is_not_for_this_target;
#endif
