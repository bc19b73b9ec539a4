/* The kernels for SSE2, which every x86-64 has. */
#include "../kernels.h"

#if defined(__x86_64__) && defined(__GNUC__) && B2S6_HAS_ISAS

#define ISA sse2
#define INTEGER_ISA sse2
#include "../kernel/names.h"

#include "vec_sse2.h"
#include "../kernel/elementary.h"
#include "stored_sse2.h"
#include "../kernel/product.h"
#include "../kernel/rows.h"
#include "../kernel/scan.h"
#include "../kernel/quantize.h"

#define PAIRS_ADD(sum, w, c) _mm_add_epi32(sum, _mm_madd_epi16(w, c))
#include "../kernel/pairs.h"
#include "../kernel/integer.h"

#define QUANTIZE KERNEL(quantize)
#include "../kernel/table.h"

#include "../kernel/isa_end.h"

#endif
