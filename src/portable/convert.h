/* The float nearest to a 64-bit integer, in 32-bit steps: compilers for small machines call a function for it. */
/*
 * For the number of steps of a stream, by which mean pooling divides; self_test.c compares it with what it must give.
 * A freestanding build has no library of the compiler's to call.
 */
#ifndef B2S6_PORTABLE_CONVERT_H
#define B2S6_PORTABLE_CONVERT_H

#include <stdint.h>

/*
 * What does not fit into 32 bits leaves a bit, so that the one rounding knows of it: the last bit stays set once a set
 * bit has left. If any left, x ends in [2^31, 2^32), of which a float keeps 24 bits: the last one is below the half
 * way, so it decides ties and nothing else. scale is an exact power of two, at most 2^32, and the doublings and the
 * product are exact.
 */
static inline float b2s6_float_of_u64(uint64_t x)
{
    float scale = 1.0f;

    for (; x >> 32; scale *= 2.0f)
        x = x >> 1 | (x & 1);
    return (float)(uint32_t)x * scale;
}

#endif
