/*
 * The vector layer in plain C: one lane. Every other vec_*.h defines the same names with the same bits, so this file
 * is also what they are to do: vf is a vector of VF_LANES floats, vi of as many 32-bit integers, vm a mask of lanes.
 *
 * The texts of src/kernel are written over these names and nothing else, so that an instruction set is added by a file
 * like this one. A vm is a lane's 0 or -1 here, all bits of a lane or one bit a lane elsewhere, so it is made by
 * comparisons and used by vm_... and ..._select alone. Loads and stores ask for no alignment beyond an element's.
 * Nothing can fail or trap.
 *
 * Rules that keep the bits equal whatever the compiler's contraction setting:
 *
 * - a product that feeds a sum is written vf_fma, vf_fnma or vf_fms, never vf_mul and then vf_add or vf_sub;
 * - vf_min and vf_max are exactly "a < b ? a : b" and "a > b ? a : b": with a NaN, or with zeros of both signs, the
 *   second operand comes out (as x86's instructions have it; ARM's have not);
 * - no conversion from float to integer: vf_nearest_int adds 1.5 * 2^23 instead, so a product is not handed to it
 *   either.
 */
#ifndef B2S6_PORTABLE_VEC_H
#define B2S6_PORTABLE_VEC_H

#include "../prologue.h"

#include <stdint.h>

#include "fma.h"
#include "sqrt.h"

/*
 * VF_INLINE: inlined, always but in a small build, as a vector in an argument would go through memory and constants
 * would stop being constants. VF_UNLIKELY: a condition that hardly ever holds.
 */
#if defined(__GNUC__)
#if defined(B2S6_SMALL) /* what is called more than once is not copied */
#define VF_INLINE static inline __attribute__((unused))
#else
#if defined(__OPTIMIZE__)
#define VF_INLINE static inline __attribute__((always_inline, unused))
#else
/* inlined without optimisation, every value would have its own place on the stack */
#define VF_INLINE static inline __attribute__((unused))
#endif
#endif
#define VF_UNLIKELY(x) __builtin_expect((x), 0)
#else
#define VF_INLINE static inline
#define VF_UNLIKELY(x) (x)
#endif

/*
 * VF_LANES divides 16. VF_REGISTERS: how many vectors the machine holds, for choosing tiles, 16 of an unknown one.
 * VF_FUSED: whether vf_fma is an instruction; the texts are shorter and less unrolled where it is a function.
 */
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

/* x in every lane; then operations lane by lane, each rounded once to float (FLT_EVAL_METHOD is 0: common.h). */
VF_INLINE vf vf_set1(float x) { return x; }
VF_INLINE vf vf_load(const float *p) { return *p; }
VF_INLINE void vf_store(float *p, vf a) { *p = a; }
VF_INLINE vf vf_add(vf a, vf b) { return (float)(a + b); }
VF_INLINE vf vf_sub(vf a, vf b) { return (float)(a - b); }
VF_INLINE vf vf_mul(vf a, vf b) { return (float)(a * b); }
VF_INLINE vf vf_div(vf a, vf b) { return (float)(a / b); }

/*
 * Integer lanes: arithmetic wraps modulo 2^32, so it is done unsigned, where C defines that. Converting back to
 * int32_t, and shifting a negative number right, are the implementation's choice in C99; gcc and clang keep the bits
 * and shift in the sign. n of a shift is a constant from 0 to 31, hence macros: vector instructions take it as part of
 * the instruction.
 */
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

/* The 32 bits of a lane read as the other type; no value changes. */
VF_INLINE vi vf_bits(vf a)
{
    return (vi)b2s6_bits_of(a);
}

VF_INLINE vf vf_from_bits(vi u)
{
    return b2s6_float_of((uint32_t)u);
}

/* Nearest float of an integer, ties to even: the only conversion that there is. */
VF_INLINE vf vf_from_int(vi a) { return (float)a; }

/* One rounding each. A sign may be moved to an operand: the product, or c, with it is exact. */
VF_INLINE vf vf_fma(vf a, vf b, vf c) { return b2s6_fma(a, b, c); }    /* a*b + c */
VF_INLINE vf vf_fnma(vf a, vf b, vf c) { return b2s6_fma(-a, b, c); }  /* c - a*b */
VF_INLINE vf vf_fms(vf a, vf b, vf c) { return b2s6_fma(a, b, -c); }   /* a*b - c */

VF_INLINE vf vf_sqrt(vf a) { return b2s6_sqrt(a); }

/* By bits, so that also a NaN loses or changes its sign, and no comparison is made. */
VF_INLINE vf vf_abs(vf a) { return vf_from_bits(vf_bits(a) & 0x7fffffff); }
VF_INLINE vf vf_neg(vf a) { return vf_from_bits((vi)((uint32_t)vf_bits(a) ^ 0x80000000u)); }
/* a with its sign flipped where the top bit of s is set. */
VF_INLINE vf vf_flip_sign(vf a, vi s)
{
    return vf_from_bits((vi)((uint32_t)vf_bits(a) ^ ((uint32_t)s & 0x80000000u)));
}
VF_INLINE vf vf_min(vf a, vf b) { return a < b ? a : b; }
VF_INLINE vf vf_max(vf a, vf b) { return a > b ? a : b; }

/* Comparisons with a NaN are false, but for vf_not_lt; zeros of both signs are equal. */
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
/* a where m is set, else b; a where m is set, else +0. */
VF_INLINE vf vf_select(vm m, vf a, vf b) { return m ? a : b; }
VF_INLINE vf vf_zero_unless(vm m, vf a) { return m ? a : 0.0f; }

/*
 * table[index], each index 0 .. 7. Only the lower three bits of an index count, here and in every layer, so that one
 * that a NaN made reads nothing beyond the table.
 */
VF_INLINE vf vf_lookup8(const float table[8], vi index) { return table[index & 7]; }

#include "../kernel/vec_common.h"

#endif
