/* The vector layer in plain C: one lane. Every other vec_*.h defines the same names with the same bits.
 *
 * Rules that keep the bits equal whatever the compiler's contraction setting:
 *   - a product that feeds a sum is written vf_fma, vf_fnma or vf_fms, never vf_mul and then vf_add or vf_sub;
 *   - vf_min and vf_max are exactly "a < b ? a : b" and "a > b ? a : b": with a NaN, or with zeros of both signs, the
 *     second operand comes out;
 *   - no conversion from float to integer: vf_nearest_int adds 1.5 * 2^23 instead, so a product is not handed to it either.
 */
#ifndef B2S6_PORTABLE_VEC_H
#define B2S6_PORTABLE_VEC_H

#include "../prologue.h"

#include <stdint.h>

#include "fma.h"
#include "sqrt.h"

#if defined(__GNUC__)
#if defined(B2S6_SMALL) /* what is called more than once is not copied */
#define VF_INLINE static inline __attribute__((unused))
#else
#if defined(__OPTIMIZE__)
#define VF_INLINE static inline __attribute__((always_inline, unused))
#else
#define VF_INLINE static inline __attribute__((unused)) /* inlined without optimisation, every value would have its own place on the stack */
#endif
#endif
#define VF_RARE static __attribute__((noinline, cold, unused))
#define VF_UNLIKELY(x) __builtin_expect((x), 0)
#else
#define VF_INLINE static inline
#define VF_RARE static
#define VF_UNLIKELY(x) (x)
#endif

#define VF_LANES 1
#define VF_REGISTERS 16
#if defined(B2S6_HARDWARE_FMA)
#  define VF_FUSED 1
#else
#  define VF_FUSED 0
#endif

typedef float vf;
typedef int32_t vi;
typedef int32_t vm; /* 0 or -1 */

VF_INLINE vf vf_set1(float x) { return x; }
VF_INLINE vf vf_load(const float *p) { return *p; }
VF_INLINE void vf_store(float *p, vf a) { *p = a; }
VF_INLINE vf vf_add(vf a, vf b) { return (float)(a + b); }
VF_INLINE vf vf_sub(vf a, vf b) { return (float)(a - b); }
VF_INLINE vf vf_mul(vf a, vf b) { return (float)(a * b); }
VF_INLINE vf vf_div(vf a, vf b) { return (float)(a / b); }

/* Integer lanes: arithmetic wraps, so it is done unsigned. */
VF_INLINE vi vi_set1(int32_t x) { return x; }
VF_INLINE vi vi_load(const int32_t *p) { return *p; }
VF_INLINE void vi_store(int32_t *p, vi a) { *p = a; }
VF_INLINE vi vi_add(vi a, vi b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
VF_INLINE vi vi_sub(vi a, vi b) { return (int32_t)((uint32_t)a - (uint32_t)b); }
VF_INLINE vi vi_and(vi a, vi b) { return a & b; }
VF_INLINE vi vi_or(vi a, vi b) { return a | b; }
VF_INLINE vi vi_xor(vi a, vi b) { return a ^ b; }
#define vi_shl(a, n) ((vi)((uint32_t)(a) << (n)))
#define vi_shr_logical(a, n) ((vi)((uint32_t)(a) >> (n)))
#define vi_shr_arith(a, n) ((vi)(a) >> (n))
VF_INLINE vm vi_eq(vi a, vi b) { return -(a == b); }
VF_INLINE vm vi_lt(vi a, vi b) { return -(a < b); }
VF_INLINE vm vi_test(vi a, vi b) { return -((a & b) != 0); } /* whether they share bits; b >= 0 */
VF_INLINE vi vi_select(vm m, vi a, vi b) { return m ? a : b; }

VF_INLINE vi vf_bits(vf a)
{
    return (vi)b2s6_bits_of(a);
}

VF_INLINE vf vf_from_bits(vi u)
{
    return b2s6_float_of((uint32_t)u);
}

/* Nearest float of an integer. */
VF_INLINE vf vf_from_int(vi a) { return (float)a; }

VF_INLINE vf vf_fma(vf a, vf b, vf c) { return b2s6_fma(a, b, c); }    /* a*b + c */
VF_INLINE vf vf_fnma(vf a, vf b, vf c) { return b2s6_fma(-a, b, c); }  /* c - a*b */
VF_INLINE vf vf_fms(vf a, vf b, vf c) { return b2s6_fma(a, b, -c); }   /* a*b - c */

VF_INLINE vf vf_sqrt(vf a) { return b2s6_sqrt(a); }

VF_INLINE vf vf_abs(vf a) { return vf_from_bits(vf_bits(a) & 0x7fffffff); }
VF_INLINE vf vf_neg(vf a) { return vf_from_bits((vi)((uint32_t)vf_bits(a) ^ 0x80000000u)); }
/* a with its sign flipped where the top bit of s is set. */
VF_INLINE vf vf_flip_sign(vf a, vi s)
{
    return vf_from_bits((vi)((uint32_t)vf_bits(a) ^ ((uint32_t)s & 0x80000000u)));
}
VF_INLINE vf vf_min(vf a, vf b) { return a < b ? a : b; }
VF_INLINE vf vf_max(vf a, vf b) { return a > b ? a : b; }

VF_INLINE vm vf_lt(vf a, vf b) { return -(a < b); }
VF_INLINE vm vf_le(vf a, vf b) { return -(a <= b); }
VF_INLINE vm vf_gt(vf a, vf b) { return -(a > b); }
VF_INLINE vm vf_eq(vf a, vf b) { return -(a == b); }
VF_INLINE vm vf_not_lt(vf a, vf b) { return -!(a < b); }               /* true for NaN */
VF_INLINE vm vf_is_nan(vf a) { return -(a != a); }
VF_INLINE vm vm_and(vm a, vm b) { return a & b; }
VF_INLINE vm vm_or(vm a, vm b) { return a | b; }
VF_INLINE vm vm_not(vm a) { return ~a; }
VF_INLINE int vm_any(vm a) { return a != 0; }
VF_INLINE vf vf_select(vm m, vf a, vf b) { return m ? a : b; }
VF_INLINE vf vf_zero_unless(vm m, vf a) { return m ? a : 0.0f; }

/* table[index], each index 0 .. 7. */
VF_INLINE vf vf_lookup8(const float table[8], vi index) { return table[index & 7]; }

#include "../kernel/vec_common.h"

#endif
