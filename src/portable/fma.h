/*
 * Fused multiply-add of floats, one rounding, the same bits on every target. Nearly every operation of the kernels is
 * one, so this is what makes them equal on machines that have the instruction and machines that do not.
 *
 * Three ways, chosen at compile time:
 *
 * - the instruction, where the target has one;
 * - double arithmetic, where double is hardware: the product of two floats is exact in a double, the sum is rounded to
 *   odd where that matters, and the conversion to float rounds once more, which is then the only rounding that counts;
 * - integers only, for targets whose double (or float) arithmetic is itself software.
 *
 * libm's fmaf is not used as a fallback: some C libraries compute it with two roundings. All forms are compiled
 * everywhere, so that tests compare them on one machine. Which NaN comes out is left open.
 */
#ifndef B2S6_PORTABLE_FMA_H
#define B2S6_PORTABLE_FMA_H

#include "../common.h"

/*
 * B2S6_SOFT_FMA_DOUBLE or B2S6_SOFT_FMA_INTEGER may be defined to force one of the software forms. What the compiler
 * says of the target decides, and not the machine that runs: only instruction sets with a table of their own are
 * chosen there (isa.h).
 */
#if defined(__FP_FAST_FMAF) || defined(__FMA__) || defined(__aarch64__) || defined(__s390x__) || \
    defined(__powerpc64__) || (defined(__riscv_flen) && __riscv_flen >= 32) || \
    (defined(__ARM_FEATURE_FMA) && defined(__ARM_FP) && (__ARM_FP & 4))
#define B2S6_HARDWARE_FMA 1
#endif

/*
 * Double is software here, so integers are faster than the double form: no floating point at all, 32-bit ARM whose
 * unit has single precision only (bit 3 of __ARM_FP is double) or none, RISC-V likewise (flen: bits of a register),
 * and small processors.
 */
#if !defined(B2S6_SOFT_FMA_INTEGER) && !defined(B2S6_SOFT_FMA_DOUBLE) && !defined(B2S6_HARDWARE_FMA) && \
    (defined(__SOFTFP__) || (defined(__ARM_FP) && !(__ARM_FP & 8)) || (defined(__arm__) && !defined(__ARM_FP)) || \
     (defined(__riscv) && (!defined(__riscv_flen) || __riscv_flen < 64)) || defined(_SOFT_FLOAT) || \
     defined(__mips_soft_float) || defined(__xtensa__) || defined(__AVR__) || defined(__MSP430__))
#define B2S6_SOFT_FMA_INTEGER 1
#endif

/* The bits of a double and back; those of a float are in common.h. */
union b2s6_double_view {
    double f;
    uint64_t u;
};

/*
 * s = round(p + d) in double: the same sum rounded to odd. If s is inexact and its last bit is even, it is moved to
 * its neighbour on the side of the error; that one has an odd last bit and brackets the exact sum together with s.
 *
 * error = (p + d) - s exactly: Knuth's sum of two numbers, whichever is larger. Of a float's magnitude s goes away
 * from zero by adding 1 to its bits, toward it by taking 1 away. s is not 0 with an error, as p and d are multiples of
 * 2^-298. Infinities and NaNs stay. Then rounding s to fewer bits gives what rounding the exact sum gives: an odd last
 * bit is never half way, and is on the same side of it.
 */
static inline double b2s6_round_to_odd(double p, double d, double s)
{
    union b2s6_double_view v;
    /* q: what of d is in s; s - q: what of p is in it; what is missing of both is the error, and exact */
    const double q = s - p;
    const double error = (p - (s - q)) + (d - q);
    v.f = s;
    if (error != 0 && (v.u & 1) == 0 && (v.u >> 52 & 0x7ff) != 0x7ff)
        v.u += ((error > 0) == (s > 0)) ? UINT64_C(1) : ~UINT64_C(0);
    return v.f;
}

/*
 * The double form: a*b is exact (48 bits of 53, exponents within a double's), s = round(a*b + c). Converting s to
 * float rounds a second time, which can only go wrong where s is exactly half way between two floats, or where the
 * float is subnormal: s is rounded to odd there. By its bits: of the 52 of a fraction a float keeps 23, and the other
 * 29 are 1000...0 half way; the exponent field of 2^-126 is 0x381. Both are rare, and two tests of bits cost less than
 * the six operations of the error at every call.
 */
static inline float b2s6_fma_double(float a, float b, float c)
{
    const double p = (double)a * (double)b, d = (double)c;
    double s = p + d;
    union b2s6_double_view v;
    v.f = s;
    if ((v.u & 0x1fffffff) == 0x10000000 || (v.u & UINT64_C(0x7fffffffffffffff)) < UINT64_C(0x3810000000000000))
        s = b2s6_round_to_odd(p, d, s);
    return (float)s;
}

/*
 * Position of the highest set bit, 0 .. 63; x is not 0. By halves, as C99 has no such operation: five steps that
 * compilers for small machines do without a call.
 */
static inline int b2s6_top_bit(uint64_t x)
{
    uint32_t word = (uint32_t)(x >> 32); /* shifts of 64 bits are functions on small machines */
    int n = word ? 32 : 0;
    if (!word)
        word = (uint32_t)x;
    for (int step = 16; step; step >>= 1) {
        if (word >> step) {
            word >>= step;
            n += step;
        }
    }
    return n;
}

/*
 * x >> n for n >= 0, with every bit lost recorded in the last bit: "sticky", so that what is rounded later knows that
 * there was more. n may be 64 and more, where C's own shift is undefined.
 */
static inline uint64_t b2s6_shift_sticky(uint64_t x, int n)
{
    if (n == 0)
        return x;
    if (n > 63)
        return x != 0;
    return (x >> n) | ((x << (64 - n)) != 0);
}

/*
 * Rounds m * 2^e (m below 2^63, its last bit sticky) to the nearest float, ties to even, with this sign: subnormal
 * results and overflow too. Two bits below the last one kept decide: m is cut to them, sticky, and goes up if it is
 * above half, or half and odd.
 */
static inline float b2s6_round_pack(uint32_t sign, uint64_t m, int e)
{
    if (m == 0)
        return b2s6_float_of(sign);
    /* drop: bits of m that do not fit, negative if there are bits free */
    int drop = b2s6_top_bit(m) - 23;                /* keep 24 bits ... */
    if (e + drop < -149)
        drop = -149 - e;                            /* ... or fewer, if the result is subnormal */
    if (drop < 0) {
        m <<= -drop;
    } else if (drop > 0) {
        m = b2s6_shift_sticky(m, drop - 2 > 0 ? drop - 2 : 0) << (drop < 2 ? 2 - drop : 0);
        m = (m >> 2) + ((m & 2) && (m & 5));        /* half, and (more or odd) */
    }
    /* a carry out of 24 bits: a power of two, so nothing is lost by halving it */
    e += drop;
    if (m >> 24) {
        m >>= 1;
        e++;
    }
    /* 2^23 2^105 = 2^128 is beyond the largest float */
    if (e > 104)
        return b2s6_float_of(sign | 0x7f800000);
    /* A significand of 2^23 or more carries into the exponent field by itself. */
    return b2s6_float_of(sign | (((uint32_t)(e + 149) << 23) + (uint32_t)m));
}

/*
 * Significand (hidden bit included) and exponent of a finite float with bits u, sign aside: |x| = m * 2^e, m below
 * 2^24; 0 is 0 * 2^-149.
 */
static inline uint32_t b2s6_unpack(uint32_t u, int *e)
{
    const uint32_t field = (u >> 23) & 0xff, fraction = u & 0x7fffff;
    *e = field ? (int)field - 150 : -149;
    return field ? fraction | 0x800000 : fraction;
}

/*
 * The integer form for every operand: infinities, NaNs, zeros and subnormals by the rules of IEEE 754, and everything
 * else exactly in 64 bits, then one rounding. Slow on 32-bit machines; b2s6_fma_integer calls it for what is rare.
 *
 * p 2^ep is the product, below 2^48; t 2^ec the summand. Both are shifted to bit 61, so that the sum has room at bit
 * 62, which b2s6_round_pack takes. If the smaller loses bits at the bottom, the other is so much larger that the
 * result keeps its top bit at 60 or above: the sticky bit is then far below the 24 that are kept, and right for sums
 * and differences.
 */
static inline float b2s6_fma_any(float a, float b, float c)
{
    const uint32_t ua = b2s6_bits_of(a), ub = b2s6_bits_of(b), uc = b2s6_bits_of(c);
    const uint32_t inf = 0x7f800000;
    const uint32_t ma = ua & 0x7fffffff, mb = ub & 0x7fffffff, mc = uc & 0x7fffffff;
    uint32_t sign = (ua ^ ub) & 0x80000000;
    if (ma >= inf || mb >= inf || mc >= inf) {
        /* infinity times zero, and infinity less infinity, are NaNs; else what is infinite wins */
        const int nan = ma > inf || mb > inf || mc > inf || (ma == inf && mb == 0) || (mb == inf && ma == 0);
        const int product_inf = ma == inf || mb == inf;
        if (nan || (product_inf && mc == inf && sign != (uc & 0x80000000)))
            return b2s6_float_of(0x7fc00000);
        return b2s6_float_of(product_inf ? sign | inf : uc);
    }
    int ea, eb, ec;
    uint64_t p = (uint64_t)b2s6_unpack(ua, &ea) * b2s6_unpack(ub, &eb), t = b2s6_unpack(uc, &ec);
    int ep = ea + eb;
    const uint32_t csign = uc & 0x80000000;
    if (p == 0) {
        if (t == 0)
            return b2s6_float_of(sign & csign);   /* -0 only from -0 + -0 */
        return c;
    }
    if (t != 0) {
        /* Both to the top of the word, two bits spare: the larger keeps every bit, what the smaller loses stays sticky. */
        const int up = 61 - b2s6_top_bit(p), uq = 61 - b2s6_top_bit(t);
        p <<= up;
        ep -= up;
        t <<= uq;
        ec -= uq;
        /* the one of the smaller exponent goes down to the other's */
        if (ep >= ec) {
            t = b2s6_shift_sticky(t, ep - ec);
        } else {
            p = b2s6_shift_sticky(p, ec - ep);
            ep = ec;
        }
        /* magnitudes are added or subtracted; the larger gives the sign */
        if (sign == csign) {
            p += t;
        } else if (p > t) {
            p -= t;
        } else {
            p = t - p;
            sign = p ? csign : 0;                   /* exact cancellation is +0 */
        }
    }
    return b2s6_round_pack(sign, p, ep);
}

/*
 * 64 bits as two words, hi 2^32 + lo: a machine without 64-bit registers calls a function to shift a uint64_t by a
 * number of bits that varies.
 */
typedef struct {
    uint32_t hi, lo;
} b2s6_words;

/*
 * x >> n, 0 <= n, with every bit lost recorded in the last bit, as b2s6_shift_sticky. No shift here is by 32 or more,
 * which C leaves undefined.
 */
static inline b2s6_words b2s6_words_shift(b2s6_words x, uint32_t n)
{
    uint32_t lost = 0;
    if (n >= 32) {
        lost = x.lo;
        x.lo = x.hi;
        x.hi = 0;
        n -= 32;
    }
    if (n >= 32) {
        lost |= x.lo;
        x.lo = 0;
    } else if (n) {
        lost |= x.lo << (32 - n);
        x.lo = x.lo >> n | x.hi << (32 - n);
        x.hi >>= n;
    }
    x.lo |= lost != 0;
    return x;
}

/*
 * The product of two numbers of 24 bits, times 2^14: both at least 2^23, so the product is in [2^46, 2^48) and its top
 * bit comes to 28 or 29 of hi. That leaves room for the carry of a sum, and 14 zeros at the bottom for what is shifted
 * into them.
 */
static inline b2s6_words b2s6_words_product(uint32_t a, uint32_t b)
{
    b2s6_words p;
#if defined(__thumb__) && !defined(__thumb2__) /* has no long multiplication: three products of 12 bits by 24 or less */
    /* low below 2^24, mid below 2^26, high below 2^25; product = high 2^24 + bottom */
    const uint32_t low = (a & 0xfff) * (b & 0xfff), mid = (a & 0xfff) * (b >> 12) + (a >> 12) * (b & 0xfff) + (low >> 12);
    const uint32_t high = (a >> 12) * (b >> 12) + (mid >> 12);
    const uint32_t bottom = (mid & 0xfff) << 12 | (low & 0xfff);
    p.hi = high << 6 | bottom >> 18;
    p.lo = bottom << 14;
#else
    /* one instruction of most 32-bit machines; its shifts are by constants */
    const uint64_t product = (uint64_t)a * b;
    p.hi = (uint32_t)(product >> 18);
    p.lo = (uint32_t)product << 14;
#endif
    return p;
}

/*
 * x shifted left until the top bit of hi is bit 30, exponent *e with it; x is not 0, its top bit at most 30 of hi.
 * Returns hi, with what is in lo as a sticky bit. By constant shifts, a byte and then a bit at a time: without
 * cancellation it takes a few bits only, and a variable shift of two words is a function.
 */
static inline uint32_t b2s6_words_normalise(b2s6_words x, int *e)
{
    /* by 31, not 32: the top bit of lo comes to bit 30, and the last one is kept at the top of lo */
    if (x.hi == 0) {
        x.hi = x.lo >> 1;
        x.lo <<= 31;
        *e -= 31;
    }
    /* by bytes while a byte is free below bit 30, then by bits */
    while (x.hi < UINT32_C(1) << 22) {
        x.hi = x.hi << 8 | x.lo >> 24;
        x.lo <<= 8;
        *e -= 8;
    }
    while (x.hi < UINT32_C(1) << 30) {
        x.hi = x.hi << 1 | x.lo >> 31;
        x.lo <<= 1;
        *e -= 1;
    }
    return x.hi | (x.lo != 0);
}

/*
 * The integer form. What follows takes normal numbers to normal numbers, and c may be 0; the rest is rare, and
 * b2s6_fma_any does it from the beginning. e is an exponent field as floats have it, first of p, at the end of the
 * result. c is brought to the place of a product with the same exponent: its hidden bit, 23, by 5 to 28 of hi. Then p
 * + t or the larger less the smaller, normalised and rounded once. With d of any size: what is shifted out is sticky,
 * and a difference that cancels much has lost nothing, as d is then between -2 and 1 and the zeros at the bottom take
 * the shift.
 */
static inline float b2s6_fma_integer(float a, float b, float c)
{
    const uint32_t ua = b2s6_bits_of(a), ub = b2s6_bits_of(b), uc = b2s6_bits_of(c);
    const int ea = (int)(ua >> 23 & 0xff), eb = (int)(ub >> 23 & 0xff), ec = (int)(uc >> 23 & 0xff);
    uint32_t sign = (ua ^ ub) & 0x80000000, m;
    b2s6_words p, t;
    int e = ea + eb - 127, d = e - ec; /* the product lies in [2^(e - 127), 2^(e - 125)) */

    /* a field of 0 (zero, subnormal) or 255 (infinite, NaN); shifted left by 1 only zeros of either sign are 0 */
    if (ea - 1u > 253 || eb - 1u > 253 || (ec - 1u > 253 && uc << 1 != 0))
        return b2s6_fma_any(a, b, c);
    p = b2s6_words_product((ua & 0x7fffff) | 0x800000, (ub & 0x7fffff) | 0x800000);
    if (uc << 1 != 0) {
        /* hidden bit at 28 of hi, as that of a product in [1, 2) */
        t.hi = ((uc & 0x7fffff) | 0x800000) << 5;
        t.lo = 0;
        if (d >= 0) {
            t = b2s6_words_shift(t, (uint32_t)d);
        } else {
            p = b2s6_words_shift(p, (uint32_t)-d);
            e = ec;
        }
        if ((sign ^ uc) >> 31 == 0) {
            p.lo += t.lo;
            /* the carry: a sum of words that wrapped is less than either of them */
            p.hi += t.hi + (p.lo < t.lo);
        } else {
            /* the larger first, and the sign with it */
            if (p.hi < t.hi || (p.hi == t.hi && p.lo < t.lo)) {
                const b2s6_words swapped = p;
                p = t;
                t = swapped;
                sign ^= 0x80000000;
            }
            p.hi -= t.hi + (p.lo < t.lo);
            p.lo -= t.lo;
            if ((p.hi | p.lo) == 0)
                return b2s6_float_of(0);          /* exact cancellation is +0 */
        }
    }
    e += 2; /* were the top bit at bit 30 of hi, it would be 4 times that at bit 28 */
    m = b2s6_words_normalise(p, &e);
    m = (m + 63 + (m >> 7 & 1)) >> 7;               /* 24 bits, to nearest, ties to even; 2^24 carries into the exponent */
    /* the field must be 1 .. 253: below, the result is subnormal and must be rounded elsewhere; above, m = 2^24 could
     * overflow */
    if (e - 1u > 252)
        return b2s6_fma_any(a, b, c);
    /* m has the hidden bit, which adds the 1 that e - 1 leaves out */
    return b2s6_float_of(sign | (((uint32_t)(e - 1) << 23) + m));
}

#if defined(B2S6_SMALL)
B2S6_INTERNAL float b2s6_fma_shared(float a, float b, float c); /* fma.c */
#endif

/*
 * a*b + c, rounded once: the form that the build has. In a small build of integers it is one function for all
 * (fma.c).
 */
static inline float b2s6_fma(float a, float b, float c)
{
#if defined(B2S6_SOFT_FMA_INTEGER) && defined(B2S6_SMALL)
    return b2s6_fma_shared(a, b, c);
#elif defined(B2S6_SOFT_FMA_INTEGER)
    return b2s6_fma_integer(a, b, c);
#elif defined(B2S6_HARDWARE_FMA) && !defined(B2S6_SOFT_FMA_DOUBLE)
    return __builtin_fmaf(a, b, c);
#else
    return b2s6_fma_double(a, b, c);
#endif
}

#endif
