/* elementary_avx512.c - src/kernel/elementary.h for AVX-512 */
#if defined(__x86_64__) || defined(__i386__)
#include "../src/x86/vec_avx512.h"
#define ELEMENTARY_NAME elementary_avx512
#define ELEMENTARY_ISA "avx512"
#include "elementary_isa.h"
#else
typedef int elementary_avx512_is_not_for_this_target;
#endif
