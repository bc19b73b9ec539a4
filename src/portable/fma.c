/* Fused multiply-add made of integers, once for a whole small build; elsewhere it is part of what uses it. A small build
 * calls it from many places, and inlined it would be most of its code. Empty in every other build. */
#include "fma.h"

#if defined(B2S6_SMALL) && defined(B2S6_SOFT_FMA_INTEGER)
float b2s6_fma_shared(float a, float b, float c)
{
    return b2s6_fma_integer(a, b, c);
}
#endif
