/*
 * The vector layer for AVX-512 (F, BW, DQ, VL): sixteen lanes. Names and rules: src/portable/vec.h. A vector is a
 * whole group of channels or panel of rows, so loops over the vectors of one run once.
 *
 * The file opens a region in which functions are compiled for this instruction set, whatever the command line says;
 * src/kernel/isa_end.h closes it. Headers are included before it, as the compiler's own intrinsics bring their targets
 * along and the C library's functions must be compiled for any machine.
 */
#ifndef B2S6_X86_VEC_AVX512_H
#define B2S6_X86_VEC_AVX512_H

#include "../prologue.h"

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "../portable/fma.h"

/* For isa_end.h. isas.c asks the machine for these; conversion of halves is part of F at this width. */
#define VF_TARGET_REGION 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
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

/* Twice the registers of AVX2: tiles of 24 accumulators fit (product.h). */
#define VF_LANES 16
#define VF_REGISTERS 32
#define VF_FUSED 1

/* A mask is a number of 16 bits in a register of its own, not a vector. */
typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm; /* one bit a lane */

/* Unaligned loads: on aligned data they are as fast, and a host's memory need not be aligned. */
VF_INLINE vf vf_set1(float x) { return _mm512_set1_ps(x); }
VF_INLINE vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
VF_INLINE void vf_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
VF_INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
VF_INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
VF_INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
VF_INLINE vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
VF_INLINE vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }
VF_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }   /* a*b + c */
VF_INLINE vf vf_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); } /* c - a*b */
VF_INLINE vf vf_fms(vf a, vf b, vf c) { return _mm512_fmsub_ps(a, b, c); }   /* a*b - c */

/* Integer lanes; and, or and xor need no lanes. */
VF_INLINE vi vi_set1(int32_t x) { return _mm512_set1_epi32(x); }
VF_INLINE vi vi_load(const int32_t *p) { return _mm512_loadu_si512(p); }
VF_INLINE void vi_store(int32_t *p, vi a) { _mm512_storeu_si512(p, a); }
VF_INLINE vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
VF_INLINE vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
VF_INLINE vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
VF_INLINE vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
VF_INLINE vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
#define vi_shl(a, n) _mm512_slli_epi32((a), (n))
#define vi_shr_logical(a, n) _mm512_srli_epi32((a), (n))
#define vi_shr_arith(a, n) _mm512_srai_epi32((a), (n))
VF_INLINE vm vi_eq(vi a, vi b) { return _mm512_cmpeq_epi32_mask(a, b); }
VF_INLINE vm vi_lt(vi a, vi b) { return _mm512_cmplt_epi32_mask(a, b); }
/* One instruction, for any b. */
VF_INLINE vm vi_test(vi a, vi b) { return _mm512_test_epi32_mask(a, b); }
VF_INLINE vi vi_select(vm m, vi a, vi b) { return _mm512_mask_blend_epi32(m, b, a); }

/* Casts are free; the conversion rounds to nearest, as the environment is the default one. */
VF_INLINE vi vf_bits(vf a) { return _mm512_castps_si512(a); }
VF_INLINE vf vf_from_bits(vi u) { return _mm512_castsi512_ps(u); }
VF_INLINE vf vf_from_int(vi a) { return _mm512_cvtepi32_ps(a); }

/* By the sign bit alone, also of a NaN. These operations on floats are of DQ. */
VF_INLINE vf vf_abs(vf a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }
VF_INLINE vf vf_neg(vf a) { return _mm512_xor_ps(_mm512_set1_ps(-0.0f), a); }
VF_INLINE vf vf_flip_sign(vf a, vi s) /* one instruction: a ^ (sign bit & s) */
{
    const __m512i sign = _mm512_set1_epi32(INT32_MIN);
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(a), sign, s, 0x78));
}
/* The second operand comes out for a NaN and for two zeros: exactly a < b ? a : b, as the rule is. */
VF_INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
VF_INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }

/* Ordered: false for a NaN; NLT and UNORD: true. Quiet: no flag is raised. */
VF_INLINE vm vf_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
VF_INLINE vm vf_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
VF_INLINE vm vf_gt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
VF_INLINE vm vf_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
VF_INLINE vm vf_not_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ); }
VF_INLINE vm vf_is_nan(vf a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
/* C's operators make ints of the masks, hence the casts. A blend takes its last operand where the mask is set. */
VF_INLINE vm vm_and(vm a, vm b) { return (vm)(a & b); }
VF_INLINE vm vm_or(vm a, vm b) { return (vm)(a | b); }
VF_INLINE vm vm_not(vm a) { return (vm)~a; }
VF_INLINE int vm_any(vm a) { return a != 0; }
VF_INLINE vf vf_select(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
VF_INLINE vf vf_zero_unless(vm m, vf a) { return _mm512_maskz_mov_ps(m, a); }

/* The lookup has 16 entries and takes four bits of an index: the table twice, so that the fourth does not matter. */
VF_INLINE vf vf_lookup8(const float table[8], vi index)
{
    return _mm512_permutexvar_ps(index, _mm512_broadcast_f32x8(_mm256_loadu_ps(table)));
}

#include "../kernel/vec_common.h"

#endif
