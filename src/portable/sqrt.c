/* The square root made of integers, once for a whole small build; elsewhere it is part of what uses it. A small build
 * calls it from many places, and inlined it would be most of its code. Empty in every other build. */
#include "sqrt.h"

#if defined(B2S6_SMALL) && defined(B2S6_SOFT_SQRT)
float b2s6_sqrt_shared(float x)
{
    return b2s6_sqrt_integer(x);
}
#endif
