/*
 * Elementary functions over the vector layer: one text, compiled once for every instruction set, with equal bits.
 *
 * Include after one vec_*.h. rows.h calls softplus, GELU, SiLU and the sigmoid, scan.h the factor of a state
 * (scan_small.h has a text of its own for that); e^x by itself serves tests and benchmarks. Every function is a fixed
 * sequence of correctly rounded operations and integer operations, so the bits depend on nothing else;
 * docs/arithmetic.md writes the sequences out and gives the largest error of each, measured over all floats. NaN in
 * gives NaN out. Coefficients: tests/tools/coefficients.py.
 *
 * There are no branches and no tables but GELU's: a vector's lanes go through the same operations, and rare arguments
 * are brought in range by min, max and selections. Constants stand first in min and max (but in two places of GELU),
 * since the second operand comes out where one is a NaN: the argument. All functions take any float at all and cannot
 * fail.
 *
 * The pattern of all of them: x = k ln 2 + f ln 2, so that e^x = 2^k (1 + (2^f - 1)), k an integer by adding a magic
 * number, 2^f - 1 a polynomial, 2^k made of the bits of k. Small powers are held 2^64 too large while they are
 * multiplied, so that 2^k itself is never subnormal.
 */

#include <stdint.h>

/*
 * 2^f - 1 for |f| <= 0.5001 is f (LN2_HI + Q(f)), Q of degree 5, relative error 2^-26.4. f LN2_HI is added last, so
 * that one rounding dominates also for tiny f. Slightly more than 1/2, as k is chosen by a product that is itself
 * rounded, while f is counted from k by all digits of log2(e).
 */
#define VF_LN2_HI 0x1.62e43p-1f

/* Q(f), by Horner's rule. */
VF_INLINE vf vf_exp2m1_q(vf f)
{
    vf q = vf_set1(0x1.42c088p-13f);
    q = vf_fma(q, f, vf_set1(0x1.5f04bp-10f));
    q = vf_fma(q, f, vf_set1(0x1.3b2c18p-7f));
    q = vf_fma(q, f, vf_set1(0x1.c6af74p-5f));
    q = vf_fma(q, f, vf_set1(0x1.ebfbdep-3f));
    return vf_fma(q, f, vf_set1(0x1.780c18p-28f));
}

/* 2^f - 1: the last fused operation rounds f LN2_HI + f Q(f), of which the second is small. */
VF_INLINE vf vf_exp2m1(vf f)
{
    return vf_fma(f, vf_set1(VF_LN2_HI), vf_mul(f, vf_exp2m1_q(f)));
}

/*
 * Adding 1.5 * 2^23 + 127 rounds t to the nearest integer k, since floats between 2^23 and 2^24 are the integers; the
 * low byte of the sum is then k + 127, the exponent field of 2^k. A shift left by 23 drops what is above: nothing has
 * to be masked.
 */
#define VF_EXP2_MAGIC 12583039.0f

/*
 * A power e^x in parts, e^x = (scale + scale p) 2^-64, so that what follows rounds it once only and loses nothing of a
 * subnormal. scale is an exact power of two, |p| below 1/2.
 */
typedef struct {
    vf p, scale;
} vf_exp_parts;

/*
 * rounded = k + VF_EXP2_MAGIC, -190 <= k <= 63: the parts of 2^(k + f). The field of scale is k + 127 + 64, which
 * these bounds keep within 1 .. 254, so scale is a normal number. Integer lanes wrap, and what is above the sign falls
 * off.
 */
VF_INLINE vf_exp_parts vf_exp_parts_of(vf rounded, vf f)
{
    vf_exp_parts e;
    e.p = vf_exp2m1(f);
    e.scale = vf_from_bits(vi_add(vi_shl(vf_bits(rounded), 23), vi_set1(64 << 23)));
    return e;
}

/*
 * k + f = x log2(e): returns f, with *rounded = k + VF_EXP2_MAGIC. |x| must be small beside 2^22. log2(e) is in two
 * floats: in x log2e_hi - k, one fused operation, the large part cancels before anything is rounded, and what log2e_lo
 * adds is added to a small number.
 */
VF_INLINE vf vf_exp_reduce(vf x, vf *rounded)
{
    const vf log2e_hi = vf_set1(0x1.715476p+0f), log2e_lo = vf_set1(0x1.4ae0cp-26f);
    *rounded = vf_fma(x, log2e_hi, vf_set1(VF_EXP2_MAGIC));
    const vf k = vf_sub(*rounded, vf_set1(VF_EXP2_MAGIC));
    return vf_fma(x, log2e_lo, vf_fms(x, log2e_hi, k));
}

/*
 * e^-|x|; below e^-110 nothing is left of a float, nor of |x| times it. So k is at least -159, within the bounds of
 * the parts, and nothing overflows.
 */
VF_INLINE vf_exp_parts vf_exp_decay(vf x)
{
    vf rounded;
    const vf f = vf_exp_reduce(vf_neg(vf_min(vf_set1(110.0f), vf_abs(x))), &rounded);
    return vf_exp_parts_of(rounded, f);
}

/*
 * e^x over the whole range: 2^64 too much for negative x, too little for others, put right at the end. Outside [-104,
 * 104] the result is 0 or infinite whatever x is.
 */
VF_INLINE vf vf_exp(vf x)
{
    vf rounded;
    const vm negative = vf_lt(x, vf_set1(0.0f));
    const vf f = vf_exp_reduce(vf_min(vf_set1(104.0f), vf_max(vf_set1(-104.0f), x)), &rounded);
    const vf p = vf_exp2m1(f);
    const vi shift = vi_select(negative, vi_set1(64 * (1 << 23)), vi_set1(-64 * (1 << 23)));
    const vf scale = vf_from_bits(vi_add(vi_shl(vf_bits(rounded), 23), shift));
    return vf_mul(vf_fma(scale, p, scale), vf_select(negative, vf_set1(0x1p-64f), vf_set1(0x1p64f)));
}

/*
 * log(1 + e^x) = log1p(e) + max(x, 0), e = e^-|x|, with log1p(e) = e + e (e L(e)), L of degree 8, relative error
 * 2^-27.5. e is in [0, 1], where one polynomial does. For x < 0 the result is e and a smaller term, so it is
 * relatively exact however small e is.
 */
VF_INLINE vf vf_softplus(vf x)
{
    const vf_exp_parts parts = vf_exp_decay(x);
    const vf e = vf_mul(vf_fma(parts.scale, parts.p, parts.scale), vf_set1(0x1p-64f));
    vf l = vf_set1(-0x1.b14efep-9f);
    l = vf_fma(l, e, vf_set1(0x1.4a1a6ap-6f));
    l = vf_fma(l, e, vf_set1(-0x1.d783d8p-5f));
    l = vf_fma(l, e, vf_set1(0x1.b5088cp-4f));
    l = vf_fma(l, e, vf_set1(-0x1.3a5904p-3f));
    l = vf_fma(l, e, vf_set1(0x1.9350fcp-3f));
    l = vf_fma(l, e, vf_set1(-0x1.ff249ep-3f));
    l = vf_fma(l, e, vf_set1(0x1.554dd4p-2f));
    l = vf_fma(l, e, vf_set1(-0x1.ffffd2p-2f));
    /* the terms in ascending size: e^2 L, then x or else e */
    const vm negative = vf_lt(x, vf_set1(0.0f));
    const vf sum = vf_fma(vf_mul(l, e), e, vf_select(negative, e, x));
    return vf_add(sum, vf_zero_unless(vm_not(negative), e));
}

/*
 * (n + n_lo) / (1 + e), e = e^-|x| in parts: a division corrected by its remainder, which counts what the roundings of
 * n and 1 + e lost. 1/d is needed to a few bits for that: a parabola on [1, 2], within 0.016. Where |x| >= 110, n may
 * be infinite and there is nothing to correct.
 *
 *     d + d_lo = 1 + e exactly, as e <= 1;   (n + n_lo) / (d + d_lo) = q + (n - q d - q d_lo + n_lo) / d nearly
 */
VF_INLINE vf vf_over_one_plus(vf n, vf n_lo, vf_exp_parts parts, vf x)
{
    const vf one = vf_set1(1.0f);
    const vf power = vf_mul(parts.scale, vf_set1(0x1p-64f));
    const vf e = vf_fma(power, parts.p, power);
    const vf d = vf_add(one, e), d_lo = vf_sub(e, vf_sub(d, one));
    /* q is within half an ulp of n / d; rest is what it lacks, times d */
    const vf q = vf_div(n, d);
    const vf inverse = vf_fma(vf_fma(vf_set1(0x1.4cp-2f), d, vf_set1(-0x1.748p+0f)), d, vf_set1(0x1.0f8p+1f));
    const vf rest = vf_fnma(q, d_lo, vf_add(vf_fnma(q, d, n), n_lo));
    return vf_fma(vf_zero_unless(vf_lt(vf_abs(x), vf_set1(110.0f)), rest), inverse, q);
}

/*
 * 1 / (1 + e^-x): with e = e^-|x|, 1 / (1 + e) or e / (1 + e), 2^64 too much until the last step, which alone can
 * round a subnormal. top + top_lo is the numerator scale (1 + p), in two floats.
 */
VF_INLINE vf vf_sigmoid(vf x)
{
    const vf_exp_parts e = vf_exp_decay(x);
    const vm negative = vf_lt(x, vf_set1(0.0f));
    const vf top = vf_fma(e.scale, e.p, e.scale);
    const vf top_lo = vf_fma(e.scale, e.p, vf_sub(e.scale, top));
    const vf n = vf_select(negative, top, vf_set1(0x1p64f));
    return vf_mul(vf_over_one_plus(n, vf_zero_unless(negative, top_lo), e, x), vf_set1(0x1p-64f));
}

/*
 * x / (1 + e^-x): x / (1 + e), or x e / (1 + e) with 2^64 too much until the last step. x times the power of two in e
 * is exact. Not x times the sigmoid: that would round once more. x is cut at -110, where what is left is below all
 * floats, so that -infinity times 0 does not make a NaN.
 */
VF_INLINE vf vf_silu(vf x)
{
    const vf_exp_parts e = vf_exp_decay(x);
    const vm negative = vf_lt(x, vf_set1(0.0f));
    const vf scaled = vf_mul(vf_max(vf_set1(-110.0f), x), e.scale);
    const vf top = vf_fma(scaled, e.p, scaled);
    const vf top_lo = vf_fma(scaled, e.p, vf_sub(scaled, top));
    const vf n = vf_select(negative, top, x);
    const vf rest = vf_select(negative, vf_set1(0x1p-64f), vf_set1(1.0f));
    return vf_mul(vf_over_one_plus(n, vf_zero_unless(negative, top_lo), e, x), rest);
}

/*
 * exp(a^2/2) a Phi(-a) for 0 <= a <= 15, Phi the normal distribution function: on each of [0, 1/4], [1/4, 1/2], [1/2,
 * 1], ..., [8, 15] a polynomial of degree 8 in a - centre, relative error 2^-25.7 on [4, 8] and less elsewhere. The
 * centres are chosen so that the value there is very nearly a float, and its rounding costs little.
 *
 * The interval is a's exponent, counted from that of 1/8: bits >> 23 is 124 for [1/8, 1/4), to which max brings all
 * below, and 130 from 8 on. So the index is 0 .. 6; the eighth entry of a table of the vector layer is not used. max
 * has its constant second for once: a NaN then takes interval 0, and comes out by way of t.
 */
VF_INLINE vf vf_gelu_poly(vf a)
{
    static const float centre[8] = {
        0x0p+0f, 0x1.8003b8p-2f, 0x1.80003cp-1f, 0x1.8000f8p+0f,
        0x1.800592p+1f, 0x1.800172p+2f, 0x1.70019cp+3f,
    };
    static const float coefficient[9][8] = { /* (degree, interval) */
        { 0x0p+0f, 0x1.238b6p-3f, 0x1.cd285ep-3f, 0x1.3c1486p-2f,
          0x1.754b46p-2f, 0x1.8e012p-2f, 0x1.957edep-2f },
        { 0x1p-1f, 0x1.222dap-2f, 0x1.5bf7bep-3f, 0x1.203f0ep-4f,
          0x1.2bfed4p-6f, 0x1.a0e9bcp-9f, 0x1.073862p-11f },
        { -0x1.988454p-2f, -0x1.a0ab2p-3f, -0x1.c2c696p-4f, -0x1.331ebap-5f,
          -0x1.c62f86p-8f, -0x1.7b522ep-11f, -0x1.0addaap-14f },
        { 0x1.00003ap-2f, 0x1.dc30ccp-4f, 0x1.d68a74p-5f, 0x1.0d5f8ep-6f,
          0x1.23975p-9f, 0x1.2cd7ccp-13f, 0x1.de1e58p-18f },
        { -0x1.1063b8p-3f, -0x1.d23456p-5f, -0x1.a899f8p-6f, -0x1.9eeec6p-8f,
          -0x1.5080e4p-11f, -0x1.b6db66p-16f, -0x1.8ed43cp-21f },
        { 0x1.010c0cp-4f, 0x1.9391fcp-6f, 0x1.57f3dcp-7f, 0x1.216df2p-9f,
          0x1.64d486p-13f, 0x1.279f2ap-18f, 0x1.358e7p-24f },
        { -0x1.cc47f8p-6f, -0x1.5cdec8p-7f, -0x1.f6e6ap-9f, -0x1.75cabcp-11f,
          -0x1.647bb4p-15f, -0x1.80e72ep-21f, -0x1.d62f4ep-28f },
        { 0x1.e00476p-7f, 0x1.3a259ep-7f, 0x1.269788p-10f, 0x1.dc9c22p-13f,
          0x1.7d21d2p-17f, 0x1.344aa4p-23f, 0x1.c9f226p-31f },
        { -0x1.07fb58p-7f, 0x1.9481a6p-6f, -0x1.815a78p-11f, -0x1.0cf884p-14f,
          -0x1.5fabe4p-19f, -0x1.87385ep-26f, -0x1.5ccb08p-34f },
    };
    const vi interval = vi_sub(vi_shr_logical(vf_bits(vf_max(a, vf_set1(0.125f))), 23), vi_set1(124));
    const vf t = vf_sub(a, vf_lookup8(centre, interval));
    vf g = vf_lookup8(coefficient[8], interval);
    for (int degree = 7; degree >= 2; degree--)
        g = vf_fma(g, t, vf_lookup8(coefficient[degree], interval));
    /* the leading term is added last: that of degree 0, which in the first interval is 0, or else that of degree 1 */
    g = vf_fma(t, vf_lookup8(coefficient[1], interval), vf_mul(t, vf_mul(t, g)));
    return vf_add(vf_lookup8(coefficient[0], interval), g);
}

/*
 * x Phi(x) = max(x, 0) - a Phi(-a), a = |x|: the polynomial above times exp(-a^2/2), a^2 in two floats: rounding a^2 =
 * 200 alone would put an error of 2^-18 into the power. From a = 14.2 on nothing is left of the second term, and of
 * larger a the power is that of 15, k at least -162. The max makes 0 of a NaN, but the tail is a NaN then.
 */
VF_INLINE vf vf_gelu(vf x)
{
    const vf a = vf_min(vf_set1(15.0f), vf_abs(x));
    const vf hi = vf_set1(-0x1.715476p-1f), lo = vf_set1(-0x1.4ae0cp-27f); /* -log2(e) / 2 */
    /* square + square_lo = a^2 exactly */
    const vf square = vf_mul(a, a), square_lo = vf_fms(a, a, square);
    const vf rounded = vf_fma(square, hi, vf_set1(VF_EXP2_MAGIC));
    const vf k = vf_sub(rounded, vf_set1(VF_EXP2_MAGIC));
    const vf small = vf_fma(square, lo, vf_mul(square_lo, hi));
    const vf_exp_parts e = vf_exp_parts_of(rounded, vf_add(vf_fms(square, hi, k), small));
    const vf g = vf_gelu_poly(a);
    const vf tail = vf_mul(vf_fma(g, e.p, g), e.scale);
    return vf_fnma(tail, vf_set1(0x1p-64f), vf_max(x, vf_set1(0.0f)));
}

/*
 * The factor of a state, exp(z) = scale (1 + re + i im), z = delta (Re A + i Im A). scale is a power of two, negative
 * where the angle is an odd number of half turns, so that a slow mode has scale 1 and its exp(z) - 1 to full relative
 * accuracy. Of exp(z) near 1 - 2^-20 a float of its own would keep 4 bits of the difference from 1; re keeps 24.
 */
typedef struct {
    vf scale, re, im; /* im: of complex factors */
} vf_factor;

/*
 * What is held of A: Re A / ln 2; Im A / pi, that counts half turns; and in radians what rounding took from that.
 * Divided when the file is written, so that an angle is reduced by subtracting an integer, in one fused operation and
 * without digits of pi.
 */
typedef struct {
    vf decay, turn, turn_lo; /* turns: of complex A */
} vf_rate;

/* pi, rounded to a float. What it lacks is in the constant term of S. */
#define VF_PI_HI 0x1.921fb6p+1f

/* Loops over a few elements vanish, so that their values stay in registers and their operations alternate. */
#if defined(B2S6_SMALL)
#  define VF_UNROLL
#elif defined(__clang__)
#  define VF_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#  define VF_UNROLL _Pragma("GCC unroll 32")
#else
#  define VF_UNROLL
#endif
/* For each element: i and n are those of the function around it. */
#define VF_EACH VF_UNROLL for (i = 0; i < n; i++)

enum { VF_FACTORS = 4 }; /* at most so many at once */

/*
 * Factors of n elements side by side: of real A, or of complex A, whose angle follows turning = min(limit, delta), for
 * |turning turn| <= 2^20. n and is_complex are constants of the call, n at most VF_FACTORS. One chain of operations is
 * long; several that alternate keep a processor busy, and so do the three polynomials of one factor.
 *
 * 2^f - 1 = f P(f) for |f| <= 1/2, relative error 2^-26.2. For |r| <= 1/2, z = r^2: sin(pi r) = r (PI_HI + S(z)),
 * 2^-31.9, and cos(pi r) - 1 = z C(z), 2^-28.4 of sin(pi r). The rest of the angle enters the last rounding of both,
 * as a rotation: added to r it would be rounded away (measured: no effect at all).
 *
 * Half turns, not whole turns: |r| <= 1/2 is then a quarter turn to either side, where no quadrant has to be chosen,
 * and an odd number is only a sign. f is cut at -1 where k is, at -126, so that an infinite delta gives a factor of
 * next to nothing and not a NaN. There is no upper end to cut at: Re A < 0 and constant steps > 0 are verified when a
 * model is opened (or trusted), and softplus gives no negative steps.
 */
VF_INLINE void vf_factors(vf_factor *g, const vf_rate *a, const vf *delta, const vf *turning, const int n,
                          const int is_complex)
{
    vf f[VF_FACTORS], r[VF_FACTORS], z[VF_FACTORS], p[VF_FACTORS], s[VF_FACTORS], c[VF_FACTORS];
    vi sign[VF_FACTORS];
    int i;

    VF_EACH {
        /* k + 127, k = -126 .. 0 the power of two: below it nothing is left of a state */
        const vf rounded = vf_max(vf_set1(VF_EXP2_MAGIC - 126), vf_fma(delta[i], a[i].decay, vf_set1(VF_EXP2_MAGIC)));

        f[i] = vf_max(vf_set1(-1.0f), vf_fms(delta[i], a[i].decay, vf_sub(rounded, vf_set1(VF_EXP2_MAGIC))));
        g[i].scale = vf_from_bits(vi_shl(vf_bits(rounded), 23));
    }
    if (is_complex)
        VF_EACH {
            /* below 2^20 + 1, so the magic number rounds it to an integer, whose last bit becomes the sign */
            const vf half_turns = vf_fma(turning[i], a[i].turn, vf_set1(VF_ROUND_MAGIC));

            r[i] = vf_fms(turning[i], a[i].turn, vf_sub(half_turns, vf_set1(VF_ROUND_MAGIC)));
            z[i] = vf_mul(r[i], r[i]);
            sign[i] = vi_shl(vf_bits(half_turns), 31);
            g[i].scale = vf_from_bits(vi_xor(vf_bits(g[i].scale), sign[i]));
        }
#define VF_HORNER(y, x, high, low) y[i] = vf_fma(high, x[i], vf_set1(low))
    VF_EACH VF_HORNER(p, f, vf_set1(0x1.4297e4p-13f), 0x1.5ef142p-10f);
    if (is_complex) {
        VF_EACH VF_HORNER(s, z, vf_set1(-0x1.bb83e8p-8f), 0x1.4f6a9cp-4f);
        VF_EACH VF_HORNER(c, z, vf_set1(-0x1.835afap-6f), 0x1.e0484ep-3f);
    }
    VF_EACH VF_HORNER(p, f, p[i], 0x1.3b2c3cp-7f);
    if (is_complex) {
        VF_EACH VF_HORNER(s, z, s[i], -0x1.32cca8p-1f);
        VF_EACH VF_HORNER(c, z, c[i], -0x1.55cb4ap+0f);
    }
    VF_EACH VF_HORNER(p, f, p[i], 0x1.c6afa4p-5f);
    if (is_complex) {
        VF_EACH VF_HORNER(s, z, s[i], 0x1.466ba8p+1f);
        VF_EACH VF_HORNER(c, z, c[i], 0x1.03c1cep+2f);
    }
    VF_EACH VF_HORNER(p, f, p[i], 0x1.ebfbdep-3f);
    if (is_complex) {
        VF_EACH VF_HORNER(s, z, s[i], -0x1.4abbcep+2f);
        VF_EACH VF_HORNER(c, z, c[i], -0x1.3bd3ccp+2f);
    }
    VF_EACH VF_HORNER(p, f, p[i], 0x1.62e43p-1f);
    if (is_complex)
        VF_EACH VF_HORNER(s, z, s[i], -0x1.77c8bap-24f);
#undef VF_HORNER
    VF_EACH g[i].re = p[i] = vf_mul(f[i], p[i]);
    if (is_complex)
        VF_EACH {
            const vf w = vf_mul(turning[i], a[i].turn_lo), cosine = vf_fma(c[i], z[i], vf_set1(1.0f));
            const vf sine = vf_fma(r[i], vf_set1(VF_PI_HI), vf_fma(w, cosine, vf_mul(r[i], s[i])));

            g[i].re = vf_fma(p[i], cosine, vf_fms(c[i], z[i], vf_mul(w, sine))); /* cosine - 1, without cancellation */
            g[i].im = vf_fma(p[i], sine, sine);
        }
}
