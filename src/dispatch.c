/* Chooses among the kernel tables that are compiled in. */
#include "kernels.h"

const struct b2s6_kernels *b2s6_kernels_best(void)
{
    return &b2s6_kernels_portable;
}
