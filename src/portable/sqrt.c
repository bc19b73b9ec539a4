/* The square root made of integers, once for a whole small build; elsewhere it is part of what uses it. */
#include "sqrt.h"

#if defined(B2S6_SMALL) && defined(B2S6_SOFT_SQRT)
float b2s6_sqrt_shared(float x)
{
    return b2s6_sqrt_integer(x);
}
#endif
