/* elementary_avx2.c - src/kernel/elementary.h for AVX2 with FMA */
#if defined(__x86_64__) || defined(__i386__)
#include "../src/x86/vec_avx2.h"
#define ELEMENTARY_NAME elementary_avx2
#define ELEMENTARY_ISA "avx2"
#include "elementary_isa.h"
#else
typedef int elementary_avx2_is_not_for_this_target;
#endif
