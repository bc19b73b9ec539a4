/* Elementary functions over the vector layer: one text, compiled once for every instruction set, with equal bits.
 *
 * Include after one vec_*.h. Every function is a fixed sequence of correctly rounded operations and integer
 * operations, so the bits depend on nothing else; docs/arithmetic.md writes the sequences out and gives the largest
 * error of each, measured over all floats. NaN in gives NaN out. Coefficients: tests/tools/coefficients.py.
 */

#include <stdint.h>

/* 2^f - 1 for |f| <= 0.5001: f (LN2_HI + Q(f)), Q of degree 5, relative error 2^-26.4. The leading product is the
 * last operation, so that one rounding dominates also for tiny f. */
VF_INLINE vf vf_exp2m1_poly(vf f)
{
    vf q = vf_set1(0x1.42c088p-13f);
    q = vf_fma(q, f, vf_set1(0x1.5f04bp-10f));
    q = vf_fma(q, f, vf_set1(0x1.3b2c18p-7f));
    q = vf_fma(q, f, vf_set1(0x1.c6af74p-5f));
    q = vf_fma(q, f, vf_set1(0x1.ebfbdep-3f));
    q = vf_fma(q, f, vf_set1(0x1.780c18p-28f));
    return vf_fma(f, vf_set1(0x1.62e43p-1f), vf_mul(f, q));
}

/* Adding 1.5 * 2^23 + 127 rounds t to the nearest integer k; the low byte of the sum is then k + 127, the exponent
 * field of 2^k. */
#define VF_EXP2_MAGIC 12583039.0f

/* Decay: *em1 = e - 1, e = 2^(x (hi + lo)), for x (hi + lo) <= 0. Below 2^-126 e = 0. */
VF_INLINE vf vf_exp2_decay(vf x, vf hi, vf lo, vf *em1)
{
    const vf rounded = vf_fma(x, hi, vf_set1(VF_EXP2_MAGIC));
    const vf k = vf_sub(rounded, vf_set1(VF_EXP2_MAGIC));
    const vm live = vf_not_lt(k, vf_set1(-126.0f));
    const vf scale = vf_zero_unless(live, vf_from_bits(vi_shl(vf_bits(rounded), 23)));
    vf f = vf_fms(x, hi, k);
    f = vf_fma(x, lo, f);
    const vf p = vf_zero_unless(live, vf_exp2m1_poly(f));
    *em1 = vf_fma(scale, p, vf_sub(scale, vf_set1(1.0f)));
    return vf_fma(scale, p, scale);
}

/* The parts of 2^(t + f0) where t is the leading part of the exponent: e = (scale + scale * p) * rest. scale carries
 * 2^64 too much for negative and too little for positive exponents, rest puts it right, so that subnormal results and
 * those near the overflow are rounded once more at most. |t| <= 190. */
typedef struct {
    vf p, scale, rest;
} vf_exp2_parts;

/* e^(-a) or e^a, sign as in x: the parts of exp(x), |x| <= 104 or NaN. */
VF_INLINE vf_exp2_parts vf_exp_parts(vf x)
{
    const vf log2e_hi = vf_set1(0x1.715476p+0f), log2e_lo = vf_set1(0x1.4ae0cp-26f);
    const vm negative = vf_lt(x, vf_set1(0.0f));
    const vf rounded = vf_fma(x, log2e_hi, vf_set1(VF_EXP2_MAGIC));
    const vf k = vf_sub(rounded, vf_set1(VF_EXP2_MAGIC));
    vf f = vf_fms(x, log2e_hi, k);
    f = vf_fma(x, log2e_lo, f);
    vf_exp2_parts r;
    r.p = vf_exp2m1_poly(f);
    r.scale = vf_from_bits(vi_add(vi_shl(vf_bits(rounded), 23),
                                  vi_select(negative, vi_set1(64 << 23), vi_set1(-64 * (1 << 23)))));
    r.rest = vf_select(negative, vf_set1(0x1p-64f), vf_set1(0x1p64f));
    return r;
}

/* e^x over the whole range. Outside [-104, 104] the result is 0 or infinite whatever x is. */
VF_INLINE vf vf_exp(vf x)
{
    x = vf_min(vf_set1(104.0f), vf_max(vf_set1(-104.0f), x));
    const vf_exp2_parts r = vf_exp_parts(x);
    return vf_mul(vf_fma(r.scale, r.p, r.scale), r.rest);
}

/* e^(-|x|). */
VF_INLINE vf vf_exp_neg_abs(vf x)
{
    x = vf_neg(vf_min(vf_set1(104.0f), vf_abs(x)));
    const vf log2e_hi = vf_set1(0x1.715476p+0f), log2e_lo = vf_set1(0x1.4ae0cp-26f);
    const vf rounded = vf_fma(x, log2e_hi, vf_set1(VF_EXP2_MAGIC));
    const vf k = vf_sub(rounded, vf_set1(VF_EXP2_MAGIC));
    vf f = vf_fms(x, log2e_hi, k);
    f = vf_fma(x, log2e_lo, f);
    const vf p = vf_exp2m1_poly(f);
    const vf scale = vf_from_bits(vi_add(vi_shl(vf_bits(rounded), 23), vi_set1(64 << 23)));
    return vf_mul(vf_fma(scale, p, scale), vf_set1(0x1p-64f));
}

/* log(1 + e^x) = log1p(e^-|x|) + max(x, 0), with log1p(e) = e + e (e L(e)), L of degree 8, relative error 2^-27.5. */
VF_INLINE vf vf_softplus(vf x)
{
    const vf e = vf_exp_neg_abs(x);
    vf l = vf_set1(-0x1.b14efep-9f);
    l = vf_fma(l, e, vf_set1(0x1.4a1a6ap-6f));
    l = vf_fma(l, e, vf_set1(-0x1.d783d8p-5f));
    l = vf_fma(l, e, vf_set1(0x1.b5088cp-4f));
    l = vf_fma(l, e, vf_set1(-0x1.3a5904p-3f));
    l = vf_fma(l, e, vf_set1(0x1.9350fcp-3f));
    l = vf_fma(l, e, vf_set1(-0x1.ff249ep-3f));
    l = vf_fma(l, e, vf_set1(0x1.554dd4p-2f));
    l = vf_fma(l, e, vf_set1(-0x1.ffffd2p-2f));
    return vf_add(vf_fma(vf_mul(l, e), e, e), vf_max(x, vf_set1(0.0f)));
}

/* 1 / (1 + e^-x): with e = e^-|x|, 1 / (1 + e) or e / (1 + e). */
VF_INLINE vf vf_sigmoid(vf x)
{
    const vf e = vf_exp_neg_abs(x);
    const vf top = vf_select(vf_lt(x, vf_set1(0.0f)), e, vf_set1(1.0f));
    return vf_div(top, vf_add(vf_set1(1.0f), e));
}

/* x / (1 + e^-x). */
VF_INLINE vf vf_silu(vf x)
{
    const vf e = vf_exp_neg_abs(x);
    const vf top = vf_select(vf_lt(x, vf_set1(0.0f)), e, vf_set1(1.0f));
    return vf_div(vf_mul(x, top), vf_add(vf_set1(1.0f), e));
}

/* x Phi(x) = max(x, 0) - |x| Phi(-|x|), Phi the normal distribution function. With a = |x|, y = (a - 4) / (a + 4):
 * a Phi(-a) = a / (a + 4) * G(y) * exp(-a^2/2), a^2 in two floats. */
VF_INLINE vf vf_gelu(vf x)
{
    const vf a = vf_min(vf_set1(15.0f), vf_abs(x));
    const vf reciprocal = vf_div(vf_set1(1.0f), vf_add(a, vf_set1(4.0f)));
    const vf y = vf_fma(vf_set1(-8.0f), reciprocal, vf_set1(1.0f));
    vf g = vf_set1(-0x1.0af39ap-13f);
    g = vf_fma(g, y, vf_set1(0x1.895ce8p-13f));
    g = vf_fma(g, y, vf_set1(0x1.9b343p-10f));
    g = vf_fma(g, y, vf_set1(-0x1.cd6e66p-9f));
    g = vf_fma(g, y, vf_set1(-0x1.ed42cep-8f));
    g = vf_fma(g, y, vf_set1(0x1.eed93ep-5f));
    g = vf_fma(g, y, vf_set1(-0x1.7dffbep-3f));
    g = vf_fma(g, y, vf_set1(0x1.8c6d8ap-2f));
    g = vf_fma(g, y, vf_set1(-0x1.373e3ap-1f));
    g = vf_fma(g, y, vf_set1(0x1.82b4bcp-1f));
    g = vf_mul(g, vf_mul(a, reciprocal));

    const vf hi = vf_set1(-0x1.715476p-1f), lo = vf_set1(-0x1.4ae0cp-27f); /* -log2(e) / 2 */
    const vf square = vf_mul(a, a), square_lo = vf_fms(a, a, square);
    const vf rounded = vf_fma(square, hi, vf_set1(VF_EXP2_MAGIC));
    const vf k = vf_sub(rounded, vf_set1(VF_EXP2_MAGIC));
    vf f = vf_fms(square, hi, k);
    f = vf_fma(square, lo, f);
    f = vf_fma(square_lo, hi, f);
    const vf p = vf_exp2m1_poly(f);
    const vf scale = vf_from_bits(vi_add(vi_shl(vf_bits(rounded), 23), vi_set1(64 << 23)));
    const vf tail = vf_mul(vf_fma(g, p, g), scale);
    return vf_fnma(tail, vf_set1(0x1p-64f), vf_max(x, vf_set1(0.0f)));
}

/* x (hi + lo) mod 4 for one lane of any size, by integers: returns the nearest quarter turn and in *r the rest, which
 * is within [-1/2, 1/2]. The turn is held modulo 4 in units of 2^-62; |x hi| >= 2^16 makes the first product a whole
 * number of them, and lo loses less than one. */
VF_RARE uint64_t vf_turn_units(float x, float y)
{
    int ex, ey;
    const uint32_t ux = b2s6_float_bits(x), uy = b2s6_float_bits(y);
    uint64_t product = (uint64_t)b2s6_unpack(ux, &ex) * b2s6_unpack(uy, &ey);
    const int shift = ex + ey + 62;
    if (shift >= 64 || shift <= -64)
        product = 0;
    else if (shift >= 0)
        product <<= shift;
    else
        product >>= -shift;
    return ((ux ^ uy) >> 31) ? ~product + 1 : product;
}

#define VF_NEAR_TURNS 65536.0f

VF_RARE int32_t vf_quarter_turns(float x, float hi, float lo, float *r)
{
    const uint32_t inf = 0x7f800000;
    if ((b2s6_float_bits(x) & inf) == inf || (b2s6_float_bits(hi) & inf) == inf || (b2s6_float_bits(lo) & inf) == inf) {
        *r = b2s6_bits_float(0x7fc00000);
        return 0;
    }
    const uint64_t units = vf_turn_units(x, hi) + vf_turn_units(x, lo);
    const uint64_t quarter = (units + (UINT64_C(1) << 61)) >> 62;
    const uint64_t rest = units - (quarter << 62);
    const int negative = (rest >> 63) != 0;
    const float size = (float)(negative ? ~rest + 1 : rest) * 0x1p-62f;
    *r = negative ? -size : size;
    return (int32_t)quarter;
}

typedef struct {
    vi q; /* whole quarter turns, modulo 4 */
    vf r; /* the rest of a quarter turn */
} vf_turn;

/* x (hi + lo) = 4 n + q + r for |x hi| < 2^16; *big tells the lanes that are not: their q and r are wrong. */
VF_INLINE vf_turn vf_reduce_near(vf x, vf hi, vf lo, vm *big)
{
    const vf rounded = vf_fma(x, hi, vf_set1(VF_ROUND_MAGIC));
    const vf k = vf_sub(rounded, vf_set1(VF_ROUND_MAGIC));
    vf_turn turn;
    *big = vf_not_lt(vf_abs(k), vf_set1(VF_NEAR_TURNS));
    turn.q = vf_bits(rounded);
    turn.r = vf_fma(x, lo, vf_fms(x, hi, k));
    return turn;
}

/* The same for every x: the lanes that are too big one by one. */
VF_INLINE vf_turn vf_reduce(vf x, vf hi, vf lo)
{
    vm big;
    vf_turn turn = vf_reduce_near(x, hi, lo, &big);
    if (VF_UNLIKELY(vm_any(big))) {
        float bigs[VF_LANES], xs[VF_LANES], his[VF_LANES], los[VF_LANES], rs[VF_LANES];
        int32_t qs[VF_LANES];
        vf_store(bigs, vf_zero_unless(big, vf_set1(1.0f)));
        vf_store(xs, x);
        vf_store(his, hi);
        vf_store(los, lo);
        vf_store(rs, turn.r);
        vi_store(qs, turn.q);
        for (int i = 0; i < VF_LANES; i++)
            if (bigs[i] > 0)
                qs[i] = vf_quarter_turns(xs[i], his[i], los[i], &rs[i]);
        turn.q = vi_load(qs);
        turn.r = vf_load(rs);
    }
    return turn;
}

/* Sine and cosine of (pi/2) (q + r): *s, *c, and *cm1 = cosine - 1 without cancellation. sin(pi/2 r) =
 * r (PIO2_HI + S(r^2)), S of degree 3, relative error 2^-28; cos(pi/2 r) - 1 = r^2 C(r^2), C of degree 3, 2^-25; both for
 * |r| <= 0.504. */
VF_INLINE void vf_cis_turn(vf_turn turn, vf *s, vf *c, vf *cm1)
{
    const vf r = turn.r, z = vf_mul(r, r);
    vf a = vf_set1(-0x1.2d7df6p-8f);
    a = vf_fma(a, z, vf_set1(0x1.465e28p-4f));
    a = vf_fma(a, z, vf_set1(-0x1.4abbb8p-1f));
    a = vf_fma(a, z, vf_set1(-0x1.a60cf6p-25f));
    const vf sine = vf_fma(r, vf_set1(0x1.921fb6p+0f), vf_mul(r, a));
    vf b = vf_set1(0x1.d140ep-11f);
    b = vf_fma(b, z, vf_set1(-0x1.55a76ep-6f));
    b = vf_fma(b, z, vf_set1(0x1.03c1ap-2f));
    b = vf_fma(b, z, vf_set1(-0x1.3bd3ccp+0f));
    const vf versine = vf_mul(b, z); /* cosine - 1 */
    const vf cosine = vf_fma(b, z, vf_set1(1.0f));

    const vm even = vi_eq(vi_and(turn.q, vi_set1(1)), vi_set1(0));
    const vi flip = vi_shl(turn.q, 30); /* top bit: q is 2 or 3 */
    *s = vf_flip_sign(vf_select(even, sine, cosine), flip);
    *c = vf_flip_sign(vf_select(even, cosine, sine), vi_add(flip, vi_set1(1 << 30)));
    *cm1 = vf_select(vi_eq(flip, vi_set1(0)), versine, vf_sub(*c, vf_set1(1.0f)));
}

/* Sine, cosine and cosine - 1 of (pi/2) x (hi + lo), for every x and every finite hi, lo with |lo| <= 2^-24 |hi|.
 * x (hi + lo) counts quarter turns, so that reducing it is exact. */
VF_INLINE void vf_cis_product(vf x, vf hi, vf lo, vf *s, vf *c, vf *cm1)
{
    vf_cis_turn(vf_reduce(x, hi, lo), s, c, cm1);
}

/* The same bits without a branch, for a caller that knows |x hi| < 65535 in every lane. */
VF_INLINE void vf_cis_product_near(vf x, vf hi, vf lo, vf *s, vf *c, vf *cm1)
{
    vm big;
    vf_cis_turn(vf_reduce_near(x, hi, lo, &big), s, c, cm1);
}
