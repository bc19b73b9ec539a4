/* The kernels for SSE2, which every x86-64 has. */
#include "../kernels.h"

#if defined(__x86_64__) && defined(__GNUC__) && B2S6_HAS_ISAS

#include "vec_sse2.h"
#include "../elementary.h"
#include "../kernel/product.h"
#include "../kernel/rows.h"
#include "../kernel/scan.h"

extern B2S6_INTERNAL const struct b2s6_kernels b2s6_kernels_sse2;

#define KERNELS b2s6_kernels_sse2
#define KERNELS_NAME "sse2"
#include "../kernel/table.h"

#include "../isa_end.h"

#endif
