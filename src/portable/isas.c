/* A family of machines without kernels of its own: portable C is all there is. */
#include "../isa.h"

#if !B2S6_HAS_ISAS || !defined(__GNUC__) || (!defined(__x86_64__) && (!defined(__aarch64__) || defined(__AARCH64EB__)))

const struct isa b2s6_family_isas[] = { { NULL, NULL, NULL } };

#endif
