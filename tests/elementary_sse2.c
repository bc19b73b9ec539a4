/* elementary_sse2.c - src/kernel/elementary.h for SSE2 */
#if defined(__x86_64__) || defined(__SSE2__)
#include "../src/x86/vec_sse2.h"
#define ELEMENTARY_NAME elementary_sse2
#define ELEMENTARY_ISA "sse2"
#include "elementary_isa.h"
#else
typedef int elementary_sse2_is_not_for_this_target;
#endif
