/*
 * The vector layer for AArch64 Advanced SIMD (NEON): four lanes. Names and rules: src/portable/vec.h. No target region
 * is needed, as every AArch64 has it; kernels_neondot.c opens one of its own for the dot product.
 *
 * Not for 32-bit ARM, whose NEON flushes subnormals to zero; there the portable layer is used. On AArch64 the default
 * is IEEE arithmetic as everywhere, subnormals kept.
 */
#ifndef B2S6_ARM_VEC_NEON_H
#define B2S6_ARM_VEC_NEON_H

#if !defined(__aarch64__)
#error "vec_neon.h needs AArch64: NEON of 32-bit ARM flushes subnormals to zero"
#endif

#include "../prologue.h"

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#include "../portable/fma.h"

/* As in the portable layer. */
#if defined(__OPTIMIZE__)
#define VF_INLINE static inline __attribute__((always_inline, unused))
#else
/* inlined without optimisation, every value would have its own place on the stack */
#define VF_INLINE static inline __attribute__((unused))
#endif
#define VF_UNLIKELY(x) __builtin_expect((x), 0)

/* 32 registers, so that tiles of 24 accumulators fit (product.h). */
#define VF_LANES 4
#define VF_REGISTERS 32
#define VF_FUSED 1

/* A mask is a vector of unsigned integers, as comparisons give it; all bits count, as selections are made of them. */
typedef float32x4_t vf;
typedef int32x4_t vi;
typedef uint32x4_t vm; /* all bits of a lane, or none */

/* Loads and stores ask for no alignment beyond an element's. */
VF_INLINE vf vf_set1(float x) { return vdupq_n_f32(x); }
VF_INLINE vf vf_load(const float *p) { return vld1q_f32(p); }
VF_INLINE void vf_store(float *p, vf a) { vst1q_f32(p, a); }
VF_INLINE vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
VF_INLINE vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
VF_INLINE vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
VF_INLINE vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
VF_INLINE vf vf_sqrt(vf a) { return vsqrtq_f32(a); }
/* The accumulator is the first operand. fms turns the sign of c, which is exact, since NEON has no such form. */
VF_INLINE vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }             /* a*b + c */
VF_INLINE vf vf_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }            /* c - a*b */
VF_INLINE vf vf_fms(vf a, vf b, vf c) { return vfmaq_f32(vnegq_f32(c), a, b); }  /* a*b - c */

/* Integer lanes. Shifts of vectors take their number as part of the instruction. */
VF_INLINE vi vi_set1(int32_t x) { return vdupq_n_s32(x); }
VF_INLINE vi vi_load(const int32_t *p) { return vld1q_s32(p); }
VF_INLINE void vi_store(int32_t *p, vi a) { vst1q_s32(p, a); }
VF_INLINE vi vi_add(vi a, vi b) { return vaddq_s32(a, b); }
VF_INLINE vi vi_sub(vi a, vi b) { return vsubq_s32(a, b); }
VF_INLINE vi vi_and(vi a, vi b) { return vandq_s32(a, b); }
VF_INLINE vi vi_or(vi a, vi b) { return vorrq_s32(a, b); }
VF_INLINE vi vi_xor(vi a, vi b) { return veorq_s32(a, b); }
#define vi_shl(a, n) vshlq_n_s32((a), (n))
#define vi_shr_logical(a, n) vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a), (n)))
#define vi_shr_arith(a, n) vshrq_n_s32((a), (n))
VF_INLINE vm vi_eq(vi a, vi b) { return vceqq_s32(a, b); }
VF_INLINE vm vi_lt(vi a, vi b) { return vcltq_s32(a, b); }
/* One instruction, for any b. */
VF_INLINE vm vi_test(vi a, vi b) { return vtstq_s32(a, b); }
VF_INLINE vi vi_select(vm m, vi a, vi b) { return vbslq_s32(m, a, b); }

/* Casts are free; the conversion rounds to nearest, as the environment is the default one. */
VF_INLINE vi vf_bits(vf a) { return vreinterpretq_s32_f32(a); }
VF_INLINE vf vf_from_bits(vi u) { return vreinterpretq_f32_s32(u); }
VF_INLINE vf vf_from_int(vi a) { return vcvtq_f32_s32(a); }

/* By the sign bit alone, also of a NaN. */
VF_INLINE vf vf_abs(vf a) { return vabsq_f32(a); }
VF_INLINE vf vf_neg(vf a) { return vnegq_f32(a); }
VF_INLINE vf vf_flip_sign(vf a, vi s) { return vf_from_bits(veorq_s32(vf_bits(a), vandq_s32(s, vdupq_n_s32(INT32_MIN)))); }

/* False for a NaN. What is true for one is made by negation: there is no comparison that is. */
VF_INLINE vm vf_lt(vf a, vf b) { return vcltq_f32(a, b); }
VF_INLINE vm vf_le(vf a, vf b) { return vcleq_f32(a, b); }
VF_INLINE vm vf_gt(vf a, vf b) { return vcgtq_f32(a, b); }
VF_INLINE vm vf_eq(vf a, vf b) { return vceqq_f32(a, b); }
VF_INLINE vm vf_not_lt(vf a, vf b) { return vmvnq_u32(vcltq_f32(a, b)); }
VF_INLINE vm vf_is_nan(vf a) { return vmvnq_u32(vceqq_f32(a, a)); }
/* Masks and selections are operations on bits; the largest lane is 0 only if all are. */
VF_INLINE vm vm_and(vm a, vm b) { return vandq_u32(a, b); }
VF_INLINE vm vm_or(vm a, vm b) { return vorrq_u32(a, b); }
VF_INLINE vm vm_not(vm a) { return vmvnq_u32(a); }
VF_INLINE int vm_any(vm a) { return vmaxvq_u32(a) != 0; }
VF_INLINE vf vf_select(vm m, vf a, vf b) { return vbslq_f32(m, a, b); }
VF_INLINE vf vf_zero_unless(vm m, vf a) { return vf_from_bits(vandq_s32(vreinterpretq_s32_u32(m), vf_bits(a))); }
/*
 * vminq and vmaxq treat NaN and signed zeros in a way of their own: a NaN in either operand comes out, and -0 is less
 * than +0. The rule wants the second operand in both cases, so they are written as comparisons.
 */
VF_INLINE vf vf_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
VF_INLINE vf vf_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }

/* By way of memory: four loads. Only GELU looks anything up. */
VF_INLINE vf vf_lookup8(const float table[8], vi index)
{
    int32_t i[4];
    vi_store(i, index);
    const float lanes[4] = { table[i[0] & 7], table[i[1] & 7], table[i[2] & 7], table[i[3] & 7] };
    return vf_load(lanes);
}

#include "../kernel/vec_common.h"

#endif
