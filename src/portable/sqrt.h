/*
 * Square root of a float, correctly rounded: the instruction where the target has one, integers elsewhere. The C
 * library's sqrtf is not asked: not every one rounds correctly, and a freestanding build has none. Norms take one a
 * row, so the integer form need not be fast.
 */
#ifndef B2S6_PORTABLE_SQRT_H
#define B2S6_PORTABLE_SQRT_H

#include "fma.h"

/*
 * B2S6_SOFT_SQRT may be defined to force the integer form. Targets without a unit for floats take it, and compilers
 * that are not known: __builtin_sqrtf would call the C library there.
 */
#if !defined(B2S6_SOFT_SQRT) && \
    (!defined(__GNUC__) || defined(__SOFTFP__) || (defined(__arm__) && !(defined(__ARM_FP) && (__ARM_FP & 4))) || \
     (defined(__riscv) && !defined(__riscv_flen)) || defined(_SOFT_FLOAT) || defined(__mips_soft_float) || \
     defined(__xtensa__) || defined(__AVR__) || defined(__MSP430__))
#define B2S6_SOFT_SQRT 1
#endif

/*
 * sqrt(m 2^e) with m scaled to [2^48, 2^50) and e even: 25 bits of root, one more than a float has. The root is never
 * half way between two floats, so that a set last bit below it stands for whatever follows. (A root of 25 bits whose
 * last one is set has a square of more than 24 bits, which no float is.)
 *
 * Bit by bit from the top: root is the largest number so far whose square is no more than m; next is below 2^25, its
 * square below 2^50. Zeros of either sign and infinity are their own roots; a NaN, and any other negative number,
 * gives a NaN.
 */
static inline float b2s6_sqrt_integer(float x)
{
    const uint32_t u = b2s6_bits_of(x);
    uint32_t root = 0, bit;
    uint64_t m;
    int e, up;
    /* 0, -0, infinity */
    if (u << 1 == 0 || u == 0x7f800000)
        return x;
    if (u > 0x7f800000)
        return b2s6_float_of(0x7fc00000);
    m = b2s6_unpack(u, &e);
    /* to bit 48, or 49 where that makes the exponent even: it is halved below */
    up = 48 - b2s6_top_bit(m);
    up += (e - up) & 1;
    m <<= up;
    for (bit = UINT32_C(1) << 24; bit; bit >>= 1) {
        const uint32_t next = root | bit;
        if ((uint64_t)next * next <= m)
            root = next;
    }
    /* one more bit, always set, and the exponent that goes with it; an exact root of 24 bits is rounded back to itself */
    return b2s6_round_pack(0, (uint64_t)root << 1 | 1, (e - up) / 2 - 1);
}

#if defined(B2S6_SMALL)
B2S6_INTERNAL float b2s6_sqrt_shared(float x); /* sqrt.c */
#endif

/* The root by the form that the build has. */
static inline float b2s6_sqrt(float x)
{
#if defined(B2S6_SOFT_SQRT) && defined(B2S6_SMALL)
    return b2s6_sqrt_shared(x);
#elif defined(B2S6_SOFT_SQRT)
    return b2s6_sqrt_integer(x);
#else
    return __builtin_sqrtf(x);
#endif
}

#endif
