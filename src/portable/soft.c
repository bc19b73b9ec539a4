/* Float operations made of integers, once for a whole small build; elsewhere each is part of what uses it. */
#include "../common.h"

#include "fma.h"
#include "sqrt.h"

#if defined(B2S6_SMALL) && defined(B2S6_SOFT_FMA_INTEGER)
float b2s6_fma_shared(float a, float b, float c)
{
    return b2s6_fma_integer(a, b, c);
}
#endif

#if defined(B2S6_SMALL) && defined(B2S6_SOFT_SQRT)
float b2s6_sqrt_shared(float x)
{
    return b2s6_sqrt_integer(x);
}
#endif
