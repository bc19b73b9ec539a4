/*
 * The kernels for SSE2, which every x86-64 has: four lanes, no fused operation (vec_sse2.h), so 10 to 25 times slower
 * than AVX2: for old machines and for comparison. The order of includes is that of need. No target region is opened.
 */
#include "../kernels.h"

#if defined(__x86_64__) && defined(__GNUC__) && B2S6_HAS_ISAS

/* Symbols end in _sse2, and the table is b2s6_kernels_sse2. */
#define ISA sse2
#define INTEGER_ISA sse2
#include "../kernel/names.h"

#include "vec_sse2.h"
#include "../kernel/elementary.h"
#include "stored_sse2.h"
#include "../kernel/product.h"
#include "../kernel/rows.h"
/* its sets of states are of one state here */
#include "../kernel/scan.h"
#include "../kernel/quantize.h"

/* Two instructions: products of pairs, and the sum. */
#define PAIRS_ADD(sum, w, c) _mm_add_epi32(sum, _mm_madd_epi16(w, c))
#include "../kernel/pairs.h"
#include "../kernel/integer.h"

/* Codes in order. */
#define QUANTIZE KERNEL(quantize)
#include "../kernel/table.h"

#include "../kernel/isa_end.h"

#endif
