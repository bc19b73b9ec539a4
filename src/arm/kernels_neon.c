/*
 * The kernels for NEON of AArch64, which every such machine has: four lanes, 32 registers, fused. Little-endian only,
 * as stored weights are read as they are in the file. The order of includes is that of need; no target region is
 * opened, and isa_end.h does nothing.
 */
#include "../kernels.h"

#if defined(__aarch64__) && !defined(__AARCH64EB__) && defined(__GNUC__) && B2S6_HAS_ISAS

/* Symbols end in _neon, and the table is b2s6_kernels_neon. */
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

/* A function, as it takes several instructions (pairs_neon.h). */
#define PAIRS_ADD(sum, w, c) pairs_add(sum, w, c)
#include "../kernel/pairs.h"
#include "../kernel/integer.h"

/* Codes in order. */
#define QUANTIZE KERNEL(quantize)
#include "../kernel/table.h"

#include "../kernel/isa_end.h"

#endif
