/*
 * The vector layer for AVX2 with FMA: eight lanes. Names and rules: src/portable/vec.h.
 *
 * The file opens a region in which functions are compiled for this instruction set, whatever the command line says;
 * src/kernel/isa_end.h closes it. Headers are included before it, as the compiler's own intrinsics bring their targets
 * along and the C library's functions must be compiled for any machine.
 */
#ifndef B2S6_X86_VEC_AVX2_H
#define B2S6_X86_VEC_AVX2_H

#include "../prologue.h"

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "../portable/fma.h"

/* For isa_end.h. f16c: halves of stored_avx2.h. isas.c asks the machine for these three. */
#define VF_TARGET_REGION 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif

/*
 * As in the portable layer. Region and inlining belong together: no vector passes between functions of different
 * targets.
 */
#if defined(__OPTIMIZE__)
#define VF_INLINE static inline __attribute__((always_inline, unused))
#else
/* inlined without optimisation, every value would have its own place on the stack */
#define VF_INLINE static inline __attribute__((unused))
#endif
#define VF_UNLIKELY(x) __builtin_expect((x), 0)

/* 16 registers: 12 accumulators of a tile (product.h), 2 complex states at once (scan.h). */
#define VF_LANES 8
#define VF_REGISTERS 16
#define VF_FUSED 1

/* A mask is a vector of floats, as comparisons give it and blends take it; only the sign of a lane counts for a blend. */
typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm; /* all bits of a lane, or none */

/* Unaligned loads: on aligned data they are as fast, and a host's memory need not be aligned. */
VF_INLINE vf vf_set1(float x) { return _mm256_set1_ps(x); }
VF_INLINE vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
VF_INLINE void vf_store(float *p, vf a) { _mm256_storeu_ps(p, a); }
VF_INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
VF_INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
VF_INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
VF_INLINE vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
VF_INLINE vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
/* Instructions, whatever their operands' order in the assembler: each is rounded once. */
VF_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }   /* a*b + c */
VF_INLINE vf vf_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); } /* c - a*b */
VF_INLINE vf vf_fms(vf a, vf b, vf c) { return _mm256_fmsub_ps(a, b, c); }   /* a*b - c */

/* Integer lanes. Loads and stores may alias anything, through void * without a warning on alignment. */
VF_INLINE vi vi_set1(int32_t x) { return _mm256_set1_epi32(x); }
VF_INLINE vi vi_load(const int32_t *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }
VF_INLINE void vi_store(int32_t *p, vi a) { _mm256_storeu_si256((__m256i *)(void *)p, a); }
VF_INLINE vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
VF_INLINE vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
VF_INLINE vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
VF_INLINE vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
VF_INLINE vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
#define vi_shl(a, n) _mm256_slli_epi32((a), (n))
#define vi_shr_logical(a, n) _mm256_srli_epi32((a), (n))
#define vi_shr_arith(a, n) _mm256_srai_epi32((a), (n))
VF_INLINE vm vi_eq(vi a, vi b) { return _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)); }
VF_INLINE vm vi_lt(vi a, vi b) { return _mm256_castsi256_ps(_mm256_cmpgt_epi32(b, a)); }
/* No instruction for it: what both share is more than 0, as b is not negative. */
VF_INLINE vm vi_test(vi a, vi b) { return vi_lt(_mm256_setzero_si256(), vi_and(a, b)); }
/* By bytes, which is the same, as all bits of a lane's mask are alike. */
VF_INLINE vi vi_select(vm m, vi a, vi b) { return _mm256_blendv_epi8(b, a, _mm256_castps_si256(m)); }

/* Casts are free; the conversion rounds to nearest, as the environment is the default one. */
VF_INLINE vi vf_bits(vf a) { return _mm256_castps_si256(a); }
VF_INLINE vf vf_from_bits(vi u) { return _mm256_castsi256_ps(u); }
VF_INLINE vf vf_from_int(vi a) { return _mm256_cvtepi32_ps(a); }

/* By the sign bit alone, also of a NaN. */
VF_INLINE vf vf_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
VF_INLINE vf vf_neg(vf a) { return _mm256_xor_ps(_mm256_set1_ps(-0.0f), a); }
VF_INLINE vf vf_flip_sign(vf a, vi s)
{
    return _mm256_xor_ps(a, _mm256_and_ps(_mm256_set1_ps(-0.0f), _mm256_castsi256_ps(s)));
}
/* The second operand comes out for a NaN and for two zeros: exactly a < b ? a : b, as the rule is. */
VF_INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
VF_INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }

/* Ordered: false for a NaN; NLT and UNORD: true. Quiet: no flag is raised. */
VF_INLINE vm vf_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
VF_INLINE vm vf_le(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
VF_INLINE vm vf_gt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
VF_INLINE vm vf_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
VF_INLINE vm vf_not_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_NLT_UQ); }
VF_INLINE vm vf_is_nan(vf a) { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
/* Masks as bits; a blend takes b where the mask is not set. */
VF_INLINE vm vm_and(vm a, vm b) { return _mm256_and_ps(a, b); }
VF_INLINE vm vm_or(vm a, vm b) { return _mm256_or_ps(a, b); }
VF_INLINE vm vm_not(vm a) { return _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1))); }
VF_INLINE int vm_any(vm a) { return _mm256_movemask_ps(a) != 0; }
VF_INLINE vf vf_select(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }
VF_INLINE vf vf_zero_unless(vm m, vf a) { return _mm256_and_ps(m, a); }

/* One instruction: the lower three bits of each index. */
VF_INLINE vf vf_lookup8(const float table[8], vi index)
{
    return _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), index);
}

#include "../kernel/vec_common.h"

#endif
