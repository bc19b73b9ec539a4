/* bench_elementary_sse2.c - src/kernel/elementary.h for SSE2 */
#if defined(__x86_64__)
#include "src/x86/vec_sse2.h"
#define TABLE bench_elementary_sse2
#define TABLE_ISA "sse2"
#include "bench_elementary_isa.h"
#else
typedef int bench_elementary_sse2_is_not_for_this_target;
#endif
