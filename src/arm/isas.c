/*
 * The instruction sets of AArch64 (little-endian), and how to ask for them: NEON, which all have, and its dot product
 * of bytes, an extension from ARMv8.2 on. Called when a model is opened (isa.c); changes nothing and keeps nothing.
 */
#if defined(__APPLE__)
#  define _DARWIN_C_SOURCE /* sysctlbyname */
#endif
#include "../isa.h"

#if defined(__GNUC__) && defined(__aarch64__) && !defined(__AARCH64EB__) && B2S6_HAS_ISAS

/* A freestanding build asks no system, whatever it is compiled on. */
#if defined(__linux__) && !defined(B2S6_FREESTANDING)
#  include <sys/auxv.h>
#elif defined(__APPLE__) && !defined(B2S6_FREESTANDING)
#  include <sys/sysctl.h>
#endif

/* The tables of the kernels_*.c beside this file. */
extern B2S6_INTERNAL const struct b2s6_kernels b2s6_kernels_neon, b2s6_kernels_neondot;

/* Part of the base architecture. */
static int has_neon(void)
{
    return 1;
}

/*
 * A program may not ask the processor itself, so the system must say: Linux by its auxiliary vector, Apple's systems
 * by sysctl, where a name that is not known is an error and so a no. Elsewhere the compiler's word counts: what it may
 * use anywhere in the program, the machine must have.
 */
static int has_neondot(void)
{
#if defined(__linux__) && !defined(B2S6_FREESTANDING)
    enum { LINUX_HWCAP_ASIMDDP = 1 << 20 }; /* <asm/hwcap.h> of older systems does not have it */

    return (getauxval(AT_HWCAP) & LINUX_HWCAP_ASIMDDP) != 0;
#elif defined(__APPLE__) && !defined(B2S6_FREESTANDING)
    /* 1 where the processor has it; the name is Apple's */
    int has = 0;
    size_t size = sizeof has;

    return sysctlbyname("hw.optional.arm.FEAT_DotProd", &has, &size, NULL, 0) == 0 && has;
#elif defined(__ARM_FEATURE_DOTPROD)
    return 1;
#else
    return 0;
#endif
}

/* Weakest first. Nothing has to be prepared: the dot product uses NEON's registers. */
const struct isa b2s6_family_isas[] = {
    { &b2s6_kernels_neon, has_neon, NULL },
    { &b2s6_kernels_neondot, has_neondot, NULL },
    { NULL, NULL, NULL }
};

#endif
