/*
 * A family of machines without kernels of its own: portable C, which src/isa.c has first in its list, is all there is.
 * Compiled on every machine; the condition is what x86/isas.c and arm/isas.c leave over, so that exactly one of the
 * three defines the list.
 */
#include "../isa.h"

#if !B2S6_HAS_ISAS || !defined(__GNUC__) || (!defined(__x86_64__) && (!defined(__aarch64__) || defined(__AARCH64EB__)))

/* Only the entry that ends it. */
const struct isa b2s6_family_isas[] = { { NULL, NULL, NULL } };

#endif
