/* The kernels for NEON of AArch64. */
#include "../kernels.h"

#if defined(__aarch64__) && !defined(__AARCH64EB__) && defined(__GNUC__) && B2S6_HAS_ISAS

#define ISA neon
#define INTEGER_ISA neon
#include "../kernel/names.h"

#include "vec_neon.h"
#include "../kernel/elementary.h"
#include "stored_neon.h"
#include "pairs_neon.h"
#include "../kernel/product.h"
#include "../kernel/rows.h"
#include "../kernel/scan.h"
#include "../kernel/quantize.h"

#define PAIRS_ADD(sum, w, c) pairs_add(sum, w, c)
#include "../kernel/pairs.h"
#include "../kernel/integer.h"

#define QUANTIZE KERNEL(quantize)
#include "../kernel/table.h"

#include "../kernel/isa_end.h"

#endif
