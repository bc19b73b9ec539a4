/*
 * Float operations made of integers, once for a whole small build; elsewhere each is part of what uses it. A small
 * build calls them from many places, and inlined they would be most of its code. Includes the headers whose functions
 * it gives a symbol, which in turn call these: one of the two circles of files that docs/code.md names. Empty in every
 * other build.
 */
#include "../common.h"

#include "fma.h"
#include "sqrt.h"

#if defined(B2S6_SMALL) && defined(B2S6_SOFT_FMA_INTEGER)
/* b2s6_fma_integer (fma.h) as a function. */
float b2s6_fma_shared(float a, float b, float c)
{
    return b2s6_fma_integer(a, b, c);
}
#endif

#if defined(B2S6_SMALL) && defined(B2S6_SOFT_SQRT)
/* b2s6_sqrt_integer (sqrt.h) as a function. */
float b2s6_sqrt_shared(float x)
{
    return b2s6_sqrt_integer(x);
}
#endif
