/* elementary_neon.c - src/kernel/elementary.h for AArch64 NEON */
#if defined(__aarch64__)
#include "../src/arm/vec_neon.h"
#define ELEMENTARY_NAME elementary_neon
#define ELEMENTARY_ISA "neon"
#include "elementary_isa.h"
#else
typedef int elementary_neon_is_not_for_this_target;
#endif
