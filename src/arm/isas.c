/* The instruction sets of AArch64. */
#include "../isa.h"

#if defined(__GNUC__) && defined(__aarch64__) && !defined(__AARCH64EB__) && B2S6_HAS_ISAS

extern B2S6_INTERNAL const struct b2s6_kernels b2s6_kernels_neon;

/* Part of the base architecture. */
static int has_neon(void)
{
    return 1;
}

const struct isa b2s6_family_isas[] = { { &b2s6_kernels_neon, has_neon }, { NULL, NULL } };

#endif
