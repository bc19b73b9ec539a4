/*
 * The vector layer for SSE2, which every x86-64 has: four lanes. Names and rules: src/portable/vec.h. No target region
 * is needed.
 *
 * SSE2 has no fused multiply-add; it is made from double arithmetic, as in src/portable/fma.h: two vectors of two
 * doubles for four floats, and the rare case by a function. SSE2 has no blends, no lookup and no test of bits either;
 * they are made of two or three instructions of what there is. SSE4.1 would have some of them: not every x86-64 does.
 */
#ifndef B2S6_X86_VEC_SSE2_H
#define B2S6_X86_VEC_SSE2_H

#include "../prologue.h"

#include <emmintrin.h>
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

#define VF_LANES 4
#define VF_REGISTERS 16
/* vf_fma is some 25 instructions, so the texts are not unrolled. */
#define VF_FUSED 0

/* A mask is a vector of floats, as comparisons give it; all bits count, as selections are made of them. */
typedef __m128 vf;
typedef __m128i vi;
typedef __m128 vm; /* all bits of a lane, or none */

/* Unaligned loads: a host's memory need not be aligned. */
VF_INLINE vf vf_set1(float x) { return _mm_set1_ps(x); }
VF_INLINE vf vf_load(const float *p) { return _mm_loadu_ps(p); }
VF_INLINE void vf_store(float *p, vf a) { _mm_storeu_ps(p, a); }
VF_INLINE vf vf_add(vf a, vf b) { return _mm_add_ps(a, b); }
VF_INLINE vf vf_sub(vf a, vf b) { return _mm_sub_ps(a, b); }
VF_INLINE vf vf_mul(vf a, vf b) { return _mm_mul_ps(a, b); }
VF_INLINE vf vf_div(vf a, vf b) { return _mm_div_ps(a, b); }
VF_INLINE vf vf_sqrt(vf a) { return _mm_sqrt_ps(a); }

/* Integer lanes. Loads and stores may alias anything, through void * without a warning on alignment. */
VF_INLINE vi vi_set1(int32_t x) { return _mm_set1_epi32(x); }
VF_INLINE vi vi_load(const int32_t *p) { return _mm_loadu_si128((const __m128i *)(const void *)p); }
VF_INLINE void vi_store(int32_t *p, vi a) { _mm_storeu_si128((__m128i *)(void *)p, a); }
VF_INLINE vi vi_add(vi a, vi b) { return _mm_add_epi32(a, b); }
VF_INLINE vi vi_sub(vi a, vi b) { return _mm_sub_epi32(a, b); }
VF_INLINE vi vi_and(vi a, vi b) { return _mm_and_si128(a, b); }
VF_INLINE vi vi_or(vi a, vi b) { return _mm_or_si128(a, b); }
VF_INLINE vi vi_xor(vi a, vi b) { return _mm_xor_si128(a, b); }
#define vi_shl(a, n) _mm_slli_epi32((a), (n))
#define vi_shr_logical(a, n) _mm_srli_epi32((a), (n))
#define vi_shr_arith(a, n) _mm_srai_epi32((a), (n))
VF_INLINE vm vi_eq(vi a, vi b) { return _mm_castsi128_ps(_mm_cmpeq_epi32(a, b)); }
VF_INLINE vm vi_lt(vi a, vi b) { return _mm_castsi128_ps(_mm_cmplt_epi32(a, b)); }
/* No instruction for it: what both share is more than 0, as b is not negative. */
VF_INLINE vm vi_test(vi a, vi b) { return vi_lt(_mm_setzero_si128(), vi_and(a, b)); }
/* a where the mask is set, b elsewhere. */
VF_INLINE vi vi_select(vm m, vi a, vi b)
{
    const __m128i k = _mm_castps_si128(m);
    return _mm_or_si128(_mm_and_si128(k, a), _mm_andnot_si128(k, b));
}

/* Casts are free; the conversion rounds to nearest, as the environment is the default one. */
VF_INLINE vi vf_bits(vf a) { return _mm_castps_si128(a); }
VF_INLINE vf vf_from_bits(vi u) { return _mm_castsi128_ps(u); }
VF_INLINE vf vf_from_int(vi a) { return _mm_cvtepi32_ps(a); }

/* By the sign bit alone, also of a NaN. */
VF_INLINE vf vf_abs(vf a) { return _mm_andnot_ps(_mm_set1_ps(-0.0f), a); }
VF_INLINE vf vf_neg(vf a) { return _mm_xor_ps(_mm_set1_ps(-0.0f), a); }
VF_INLINE vf vf_flip_sign(vf a, vi s)
{
    return _mm_xor_ps(a, _mm_and_ps(_mm_set1_ps(-0.0f), _mm_castsi128_ps(s)));
}
/* The second operand comes out for a NaN and for two zeros: exactly a < b ? a : b, as the rule is. */
VF_INLINE vf vf_min(vf a, vf b) { return _mm_min_ps(a, b); }
VF_INLINE vf vf_max(vf a, vf b) { return _mm_max_ps(a, b); }

/* Ordered: false for a NaN; nlt and unord: true. */
VF_INLINE vm vf_lt(vf a, vf b) { return _mm_cmplt_ps(a, b); }
VF_INLINE vm vf_le(vf a, vf b) { return _mm_cmple_ps(a, b); }
VF_INLINE vm vf_gt(vf a, vf b) { return _mm_cmpgt_ps(a, b); }
VF_INLINE vm vf_eq(vf a, vf b) { return _mm_cmpeq_ps(a, b); }
VF_INLINE vm vf_not_lt(vf a, vf b) { return _mm_cmpnlt_ps(a, b); }
VF_INLINE vm vf_is_nan(vf a) { return _mm_cmpunord_ps(a, a); }
/* Masks and selections are operations on bits. */
VF_INLINE vm vm_and(vm a, vm b) { return _mm_and_ps(a, b); }
VF_INLINE vm vm_or(vm a, vm b) { return _mm_or_ps(a, b); }
VF_INLINE vm vm_not(vm a) { return _mm_xor_ps(a, _mm_castsi128_ps(_mm_set1_epi32(-1))); }
VF_INLINE int vm_any(vm a) { return _mm_movemask_ps(a) != 0; }
VF_INLINE vf vf_select(vm m, vf a, vf b) { return _mm_or_ps(_mm_and_ps(m, a), _mm_andnot_ps(m, b)); }
VF_INLINE vf vf_zero_unless(vm m, vf a) { return _mm_and_ps(m, a); }

/* By way of memory: four loads. Only GELU looks anything up. */
VF_INLINE vf vf_lookup8(const float table[8], vi index)
{
    int32_t i[4];
    vi_store(i, index);
    return _mm_setr_ps(table[i[0] & 7], table[i[1] & 7], table[i[2] & 7], table[i[3] & 7]);
}

/*
 * Two lanes of the rare case: rounds s = p + d to odd, so that converting it to float is the only rounding. Lanes that
 * are not rare go through it as well: rounding to odd never changes what the conversion gives.
 */
static __attribute__((noinline, cold, unused)) __m128d vf_round_to_odd(__m128d p, __m128d d, __m128d s)
{
    double ps[2], ds[2], ss[2];
    _mm_storeu_pd(ps, p);
    _mm_storeu_pd(ds, d);
    _mm_storeu_pd(ss, s);
    for (int i = 0; i < 2; i++)
        ss[i] = b2s6_round_to_odd(ps[i], ds[i], ss[i]);
    return _mm_loadu_pd(ss);
}

/*
 * a*b + c, rounded once: see b2s6_fma_double, of which this is the same with the same bits. Index 0 is the lower two
 * floats, 1 the upper two. The rare lanes are found by the two words of each double: low words of all four sums in one
 * vector, high words in another. Half way: the low 29 bits are 1000...0, which the low word tells alone. Small: |s| <
 * 2^-126, which the high word tells (0x38100000 is that of 2^-126). One of four is enough to take the slow way for
 * all.
 */
VF_INLINE vf vf_fma(vf a, vf b, vf c)
{
    const __m128d p0 = _mm_mul_pd(_mm_cvtps_pd(a), _mm_cvtps_pd(b));
    const __m128d p1 = _mm_mul_pd(_mm_cvtps_pd(_mm_movehl_ps(a, a)), _mm_cvtps_pd(_mm_movehl_ps(b, b)));
    const __m128d d0 = _mm_cvtps_pd(c), d1 = _mm_cvtps_pd(_mm_movehl_ps(c, c));
    __m128d s0 = _mm_add_pd(p0, d0), s1 = _mm_add_pd(p1, d1);
    const __m128 t0 = _mm_castpd_ps(s0), t1 = _mm_castpd_ps(s1);
    const vi low = _mm_castps_si128(_mm_shuffle_ps(t0, t1, _MM_SHUFFLE(2, 0, 2, 0)));
    const vi high = _mm_castps_si128(_mm_shuffle_ps(t0, t1, _MM_SHUFFLE(3, 1, 3, 1)));
    const vi half_way = _mm_cmpeq_epi32(_mm_and_si128(low, _mm_set1_epi32(0x1fffffff)), _mm_set1_epi32(0x10000000));
    const vi small = _mm_cmplt_epi32(_mm_and_si128(high, _mm_set1_epi32(INT32_MAX)), _mm_set1_epi32(0x38100000));
    if (VF_UNLIKELY(_mm_movemask_epi8(_mm_or_si128(half_way, small)))) {
        s0 = vf_round_to_odd(p0, d0, s0);
        s1 = vf_round_to_odd(p1, d1, s1);
    }
    return _mm_movelh_ps(_mm_cvtpd_ps(s0), _mm_cvtpd_ps(s1));
}

/* A sign moved to an operand is exact. */
VF_INLINE vf vf_fnma(vf a, vf b, vf c) { return vf_fma(vf_neg(a), b, c); } /* c - a*b */
VF_INLINE vf vf_fms(vf a, vf b, vf c) { return vf_fma(a, b, vf_neg(c)); }  /* a*b - c */

#include "../kernel/vec_common.h"

#endif
