/*
 * The kernels for AVX-512 (F, BW, DQ, VL): sixteen lanes, 32 registers; and two variants of its integer kernels. Three
 * tables are made here, which share all functions of floats (KERNEL, _avx512):
 *
 *     avx512       integers by vpmaddwd and vpaddd
 *     avx512vnni   the same text with vpdpwssd, which does both
 *     amx          tiles for 16 rows and more, else those of avx512vnni; its own quantize, as tiles read bytes
 *
 * Each part has a target region of its own, so that no function is compiled for more than the machine is asked for
 * (isas.c).
 */
#include "../kernels.h"

#if defined(__x86_64__) && defined(__GNUC__) && B2S6_HAS_ISAS

/* Functions of floats end in _avx512 in all three tables, integer ones in the name of their table. */
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

/* Two instructions: products of pairs, and the sum. */
#define PAIRS_ADD(sum, w, c) _mm512_add_epi32(sum, _mm512_madd_epi16(w, c))
#include "../kernel/pairs.h"
#include "../kernel/integer.h"

/* Codes in order, for VNNI as well. */
#define QUANTIZE KERNEL(quantize)
#include "../kernel/table.h"

#include "../kernel/isa_end.h"

/* ------------------------------------------------------------------- AVX-512 VNNI: the integer kernels once more, and AMX */

/* isa_end.h has closed the region of vec_avx512.h; this one has VNNI too. */
#define VF_TARGET_REGION 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512vnni"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512vnni")
#endif

/* from here on INTEGER(name) is name_avx512vnni */
#undef INTEGER_ISA
#undef PAIRS_ADD
/* The text a second time, under other names. */
#define INTEGER_ISA avx512vnni
/* Products of pairs and the sum in one; it wraps and does not saturate, and neither happens. */
#define PAIRS_ADD(sum, w, c) _mm512_dpwssd_epi32(sum, w, c)
#include "../kernel/pairs.h"
#include "../kernel/integer.h"

#include "../kernel/table.h"

#include "../kernel/isa_end.h"

/* And this one tiles. Functions of the regions before may be called, and inlined, from here. */
#define VF_TARGET_REGION 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512vnni," \
                                                   "amx-tile,amx-int8"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512vnni,amx-tile,amx-int8")
#endif

/* and from here on name_amx */
#undef INTEGER_ISA
#undef QUANTIZE
#define INTEGER_ISA amx
/* its own quantize: amx.h */
#define QUANTIZE INTEGER(quantize)
#include "amx.h"
#include "../kernel/table.h"

#include "../kernel/isa_end.h"

#endif
