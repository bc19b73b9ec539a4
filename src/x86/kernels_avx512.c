/* The kernels for AVX-512 (F, BW, DQ, VL). */
#include "../kernels.h"

#if defined(__x86_64__) && defined(__GNUC__) && B2S6_HAS_ISAS

#define ISA avx512
#define INTEGER_ISA avx512
#include "../kernel/names.h"

#include "vec_avx512.h"
#include "../kernel/elementary.h"
#include "stored_avx512.h"
#include "../kernel/product.h"
#include "../kernel/rows.h"
#include "../kernel/scan.h"
#include "../kernel/quantize.h"

#define PAIRS_ADD(sum, w, c) _mm512_add_epi32(sum, _mm512_madd_epi16(w, c))
#include "../kernel/pairs.h"
#include "../kernel/integer.h"

#define QUANTIZE KERNEL(quantize)
#include "../kernel/table.h"

#include "../kernel/isa_end.h"

/* ------------------------------------------------------------------- AVX-512 VNNI: the integer kernels once more, and AMX */

#define VF_TARGET_REGION 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512vnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512vnni")
#endif

#undef INTEGER_ISA
#undef PAIRS_ADD
#define INTEGER_ISA avx512vnni
#define PAIRS_ADD(sum, w, c) _mm512_dpwssd_epi32(sum, w, c)
#include "../kernel/pairs.h"
#include "../kernel/integer.h"

#include "../kernel/table.h"

#include "../kernel/isa_end.h"

#define VF_TARGET_REGION 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512vnni,amx-tile,amx-int8"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512vnni,amx-tile,amx-int8")
#endif

#undef INTEGER_ISA
#undef QUANTIZE
#define INTEGER_ISA amx
#define QUANTIZE INTEGER(quantize)
#include "amx.h"
#include "../kernel/table.h"

#include "../kernel/isa_end.h"

#endif
