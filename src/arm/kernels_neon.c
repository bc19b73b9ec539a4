/* The kernels for NEON of AArch64. */
#include "../kernels.h"

#if defined(__aarch64__) && !defined(__AARCH64EB__) && defined(__GNUC__) && B2S6_HAS_ISAS

#include "vec_neon.h"
#include "../elementary.h"
#include "../kernel/product.h"
#include "../kernel/rows.h"
#include "../kernel/scan.h"

extern B2S6_INTERNAL const struct b2s6_kernels b2s6_kernels_neon;

#define KERNELS b2s6_kernels_neon
#define KERNELS_NAME "neon"
#include "../kernel/table.h"

#include "../isa_end.h"

#endif
