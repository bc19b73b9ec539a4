/* The float nearest to a 64-bit integer, in 32-bit steps: compilers for small machines call a function for it. */
#ifndef B2S6_PORTABLE_CONVERT_H
#define B2S6_PORTABLE_CONVERT_H

#include <stdint.h>

/* What does not fit into 32 bits leaves a bit behind, so that the one rounding knows of it; the doublings are exact. */
static inline float b2s6_float_of_u64(uint64_t x)
{
    float scale = 1.0f;

    for (; x >> 32; scale *= 2.0f)
        x = x >> 1 | (x & 1);
    return (float)(uint32_t)x * scale;
}

#endif
