/*
 * The kernels for AVX2 with FMA: eight lanes, 16 registers. The order of includes is that of need; vec_avx2.h opens
 * the region of this instruction set, isa_end.h closes it, so the file is compiled with the flags of all others.
 */
#include "../kernels.h"

#if defined(__x86_64__) && defined(__GNUC__) && B2S6_HAS_ISAS

/* Symbols end in _avx2, and the table is b2s6_kernels_avx2. */
#define ISA avx2
#define INTEGER_ISA avx2
#include "../kernel/names.h"

#include "vec_avx2.h"
#include "../kernel/elementary.h"
/* before product.h, which calls load_half */
#include "stored_avx2.h"
#include "../kernel/product.h"
#include "../kernel/rows.h"
#include "../kernel/scan.h"
#include "../kernel/quantize.h"

/* Two instructions: products of pairs, and the sum. One that saturates (for bytes) would not be exact. */
#define PAIRS_ADD(sum, w, c) _mm256_add_epi32(sum, _mm256_madd_epi16(w, c))
#include "../kernel/pairs.h"
#include "../kernel/integer.h"

/* Codes in order. */
#define QUANTIZE KERNEL(quantize)
#include "../kernel/table.h"

#include "../kernel/isa_end.h"

#endif
