/* The kernels for AVX-512 (F, BW, DQ, VL). */
#include "../kernels.h"

#if defined(__x86_64__) && defined(__GNUC__) && B2S6_HAS_ISAS

#include "vec_avx512.h"
#include "../kernel/elementary.h"
#include "stored_avx512.h"
#include "../kernel/product.h"
#include "../kernel/rows.h"
#include "../kernel/scan.h"
#include "../kernel/quantize.h"

#define INTEGER(name) name
#define PAIRS_ADD(sum, w, c) _mm512_add_epi32(sum, _mm512_madd_epi16(w, c))
#include "../kernel/pairs.h"
#include "../kernel/integer.h"

extern B2S6_INTERNAL const struct b2s6_kernels b2s6_kernels_avx512;

#define KERNELS b2s6_kernels_avx512
#define KERNELS_NAME "avx512"
#define QUANTIZE quantize
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

#undef INTEGER
#undef PAIRS_ADD
#define INTEGER(name) name##_vnni
#define PAIRS_ADD(sum, w, c) _mm512_dpwssd_epi32(sum, w, c)
#include "../kernel/pairs.h"
#include "../kernel/integer.h"

extern B2S6_INTERNAL const struct b2s6_kernels b2s6_kernels_avx512vnni;

#undef KERNELS
#undef KERNELS_NAME
#define KERNELS b2s6_kernels_avx512vnni
#define KERNELS_NAME "avx512vnni"
#include "../kernel/table.h"

#include "../kernel/isa_end.h"

#define VF_TARGET_REGION 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512vnni,amx-tile,amx-int8"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512vnni,amx-tile,amx-int8")
#endif

#include "amx.h"

extern B2S6_INTERNAL const struct b2s6_kernels b2s6_kernels_amx;

#undef INTEGER
#undef QUANTIZE
#undef KERNELS
#undef KERNELS_NAME
#define INTEGER(name) name##_amx
#define QUANTIZE quantize_amx
#define KERNELS b2s6_kernels_amx
#define KERNELS_NAME "amx"
#include "../kernel/table.h"

#include "../kernel/isa_end.h"

#endif
