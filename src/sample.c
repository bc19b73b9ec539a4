/*
 * Logits to probabilities and tokens: what every host of a language model needs, for one row. It knows no
 * model and no state; a row of n floats comes in, and nothing is kept between calls but the generator that
 * the caller holds.
 *
 * Plain C with the portable fused multiply-add: one text and the same bits everywhere, so that a
 * compressed archive made on one machine is read on another. Two ideas carry that:
 *
 * Probabilities are added up as integers. A softmax in floats depends on the order of its sum, hence on
 * the width of vectors; here each e^(x - max) is a whole number of units of 2^-40 (2^-31 when drawing),
 * and sums are exact in 64 bits.
 *
 * What floats must do is written as differences with their rounding errors, pairs hi + lo, so that a
 * log-probability keeps its last bits even where the logits are large and nearly equal.
 *
 * Selection by top_k and top_p sorts nothing: a threshold is found bit by bit, which takes n steps 32
 * times and no memory.
 *
 * docs/arithmetic.md ("Rows of logits") writes the sequences out.
 */
#include "common.h"
#include "memory.h"
#include "portable/fma.h"
#include "sample.h"

#define NO_NUMBER 0x7fc00000u /* the NaN that the library answers with */
#define MINUS_INFINITY 0xff800000u

#define MAGIC 12582912.0f /* 1.5 2^23: adding it rounds to an integer, which is then in the low bits */
#define LOG2E 0x1.715476p+0f
#define LOG2E_LO 0x1.4ae0cp-26f
#define LN2 0x1.62e43p-1f
#define LN2_HI 0x1.62e3p-1f /* 16 bits: times an integer below 256 it is exact */
#define LN2_LO 0x1.2fefa2p-17f

/* Sums of probabilities are in units of 2^-40 of the likeliest token's: of 2^23 tokens they fit into 64 bits. */
enum { SUM_BITS = 40, WEIGHT_BITS = 31 };

/*
 * A NaN counts as minus infinity, that is, as a token that cannot come. Without it every comparison with a
 * NaN would be false, and the result depend on where in the row it is.
 */
static float logit(float x)
{
    return x == x ? x : b2s6_float_of(MINUS_INFINITY);
}

/*
 * A row that can be worked on. The most is what makes sums of 2^40 each fit into 64 bits, and places fit
 * into int32_t.
 */
static int usable(const float *logits, size_t n)
{
    return logits && n > 0 && n <= B2S6_LOGITS_MAX;
}

/*
 * Strictly greater, so of equal logits the first stays. The last test is for rows that are all minus
 * infinity or NaN; minus infinity has one bit pattern, so bits are compared.
 */
int32_t b2s6_argmax(const float *logits, size_t n)
{
    size_t best = 0;
    if (!usable(logits, n))
        return -1;
    for (size_t i = 1; i < n; i++)
        if (logit(logits[i]) > logit(logits[best]))
            best = i;
    return b2s6_bits_of(logit(logits[best])) == MINUS_INFINITY ? -1 : (int32_t)best;
}

/*
 * Insertion into a list that is sorted at all times: tokens[0 .. found - 1] are the best of what has been
 * seen, equal ones in the order of the row. A token that is not better than the last of a full list is
 * passed over with one comparison, which is what happens to nearly all of a vocabulary, so for small k
 * this is faster than a heap. Only tokens above minus infinity enter, so logits[tokens[...]] is never a
 * NaN.
 */
size_t b2s6_top_k(const float *logits, size_t n, size_t k, int32_t *tokens)
{
    size_t found = 0;
    if (!usable(logits, n) || !tokens)
        return 0;
    for (size_t i = 0; i < n && k > 0; i++) {
        const float x = logit(logits[i]);
        size_t at;
        if (b2s6_bits_of(x) == MINUS_INFINITY || (found == k && !(x > logits[tokens[k - 1]])))
            continue;
        found += found < k;
        for (at = found - 1; at > 0 && x > logits[tokens[at - 1]]; at--)
            tokens[at] = tokens[at - 1];
        tokens[at] = (int32_t)i;
    }
    return found;
}

/* How many logits, from the first on, are left to the faster loops of sample.h. */
static size_t whole_groups(size_t n, float max)
{
#if defined(B2S6_SAMPLE_AVX2)
    enum { WORTH_ASKING = 2048 };
    if (n >= WORTH_ASKING && b2s6_is_finite(max) && b2s6_sample_has_avx2())
        return n - n % 8;
#else
    (void)max;
    (void)n;
#endif
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- elementary */

/*
 * A float and what rounding took from it: the value is hi + lo. As x - max it is exact, hi being x - max
 * rounded.
 */
struct difference {
    float hi, lo;
};

/*
 * x - max, exactly, for x <= max: Knuth's error of a sum, here of x and -max, which needs no order of
 * magnitudes. An infinite max has no differences: a logit is either as large (0) or out of all proportion
 * (minus infinity). Where x - max overflows, lo is 0: the power is 0 anyhow.
 */
static struct difference below(float x, float max)
{
    struct difference d;
    float rounding;
    if (b2s6_bits_of(max) == 0x7f800000u || b2s6_bits_of(x) == MINUS_INFINITY) {
        d.hi = x == max ? 0.0f : b2s6_float_of(MINUS_INFINITY);
        d.lo = 0.0f;
        return d;
    }
    d.hi = x - max;
    rounding = d.hi - x; /* -max, but for what was lost */
    d.lo = b2s6_is_finite(d.hi) ? (x - (d.hi - rounding)) - (max + rounding) : 0.0f;
    return d;
}

/*
 * e^(hi + lo) in units of 2^-bits, rounded down, for hi + lo <= 0; at most 2^bits, and exactly that for 0.
 * bits is 30 to 40.
 *
 *     e^d = 2^k 2^f,   k = the integer nearest to d log2(e),   f = the rest, |f| <= 1/2 and a little
 *
 * k comes from the low bits of a sum with MAGIC, whose units are 1. f is formed in three fused steps, from
 * the large term to the small ones, with log2(e) in two floats. 2^f - 1 is the polynomial of the other
 * elementary functions, here as an integer p in units of 2^-30; 2^30 + p is between 0.7 and 1.5 times 2^30
 * and is then shifted by k. k is at most 0 and, as d > -28, at least -41: both shifts are in range.
 */
static uint64_t power(struct difference d, int bits)
{
    float rounded, f, q;
    int32_t k, p;
    if (!(d.hi > -28.0f)) /* below 2^-40 */
        return 0;
    rounded = b2s6_fma(d.hi, LOG2E, MAGIC);
    k = (int32_t)(b2s6_bits_of(rounded) - 0x4b400000u);
    f = b2s6_fma(d.lo, LOG2E, b2s6_fma(d.hi, LOG2E_LO, b2s6_fma(d.hi, LOG2E, MAGIC - rounded)));
    q = b2s6_fma(0x1.42c088p-13f, f, 0x1.5f04bp-10f);
    q = b2s6_fma(q, f, 0x1.3b2c18p-7f);
    q = b2s6_fma(q, f, 0x1.c6af74p-5f);
    q = b2s6_fma(q, f, 0x1.ebfbdep-3f);
    q = b2s6_fma(q, f, 0x1.780c18p-28f);
    /* truncated by the conversion; the product with a power of two is exact */
    p = (int32_t)(b2s6_fma(f, LN2, f * q) * 0x1p30f); /* the product is exact */
    return (uint64_t)(INT32_C(0x40000000) + p) << (bits - 30) >> -k;
}

/*
 * The natural logarithm of sum 2^-SUM_BITS, as a sum of two floats of which hi is exact. sum is at least
 * 2^SUM_BITS (the likeliest token counts as 1) and at most 2^63 (2^23 of them).
 *
 *     sum 2^-40 = (m + rest) 2^exponent,   m in [1, 2) with 24 bits of sum, rest the next 24
 *     log       = exponent ln 2 + log m + rest / m,   log m = 2 (s + s^3 / 3 + s^5 / 5 + ...),   s = (m - 1) / (m + 1)
 *
 * Both 24-bit pieces are floats without rounding. exponent is at most 23, LN2_HI has 16 bits: their
 * product hi is exact. What is small goes into lo: the low part of ln 2, the series, the rest.
 */
static struct difference logarithm(uint64_t sum)
{
    const int top = b2s6_top_bit(sum);
    const uint64_t bits = sum << (63 - top);
    float m = (float)(uint32_t)(bits >> 40) * 0x1p-23f, rest = (float)(uint32_t)(bits >> 16 & 0xffffff) * 0x1p-47f;
    float exponent = (float)(top - SUM_BITS), s, z, series, twice;
    struct difference log;
    if (m > 0x1.6ap+0f) { /* sqrt(2), nearly: |s| stays below 0.172 */
        m *= 0.5f;
        rest *= 0.5f;
        exponent += 1.0f;
    }
    s = (m - 1.0f) / (m + 1.0f); /* log m = 2 (s + s^3 / 3 + s^5 / 5 + ...) */
    z = s * s;
    series = b2s6_fma(z, 0x1.c71c72p-4f, 0x1.24924ap-3f);
    series = b2s6_fma(series, z, 0x1.99999ap-3f);
    series = b2s6_fma(series, z, 0x1.555556p-2f);
    twice = 2.0f * s;
    log.hi = exponent * LN2_HI;
    log.lo = b2s6_fma(exponent, LN2_LO, b2s6_fma(twice, series * z, twice) + rest / m);
    return log;
}

/* ------------------------------------------------------------------------------------------------------ log-probabilities */

/* What all log-probabilities of a row share: log p(x) = (x - max) - log_sum. */
struct shared {
    /* the highest logit; may be plus infinity */
    float max;
    /* log of the sum of e^(x - max), between 0 and log n */
    struct difference log_sum;
};

/*
 * One pass for the highest logit, one for the sum. 0 if there are no probabilities, that is, no logit
 * above minus infinity; *row is then as it was. Each term is at most 2^40 and n at most 2^23: the sum
 * fits, in whatever order.
 */
static int measure(struct shared *row, const float *logits, size_t n)
{
    const int32_t best = b2s6_argmax(logits, n);
    uint64_t sum = 0;
    size_t done;
    if (best < 0)
        return 0;
    row->max = logits[best];
    done = whole_groups(n, row->max);
#if defined(B2S6_SAMPLE_AVX2)
    if (done > 0)
        sum = b2s6_sample_sum_avx2(logits, done, row->max);
#endif
    for (size_t i = done; i < n; i++)
        sum += power(below(logit(logits[i]), row->max), SUM_BITS);
    row->log_sum = logarithm(sum);
    return 1;
}

/*
 * log p of a logit x of the row. Two sums of two: large parts with each other, small parts with each
 * other, then both.
 */
static float log_probability(const struct shared *row, float x)
{
    const struct difference d = below(logit(x), row->max);
    if (!b2s6_is_finite(d.hi))
        return d.hi;
    return (d.hi - row->log_sum.hi) + (d.lo - row->log_sum.lo);
}

/*
 * NaN for everything that has no answer: a float has no room for a status, and a NaN does not pass for a
 * number.
 */
float b2s6_log_probability(const float *logits, size_t n, int32_t token)
{
    struct shared row;
    if (!usable(logits, n) || token < 0 || (size_t)token >= n || !measure(&row, logits, n))
        return b2s6_float_of(NO_NUMBER);
    return log_probability(&row, logits[token]);
}

/*
 * out may be logits: a row's two numbers are known before the first value is overwritten, and each value
 * needs only itself.
 */
b2s6_status b2s6_log_softmax(const float *logits, size_t n, float *out)
{
    struct shared row;
    if (!usable(logits, n) || !out)
        return B2S6_ERROR_ARGUMENT;
    if (!measure(&row, logits, n))
        return B2S6_ERROR_VALUE;
    for (size_t i = 0; i < n; i++)
        out[i] = log_probability(&row, logits[i]);
    return B2S6_OK;
}

/* --------------------------------------------------------------------------------------------------------------- sampling */

/*
 * Written so that a NaN fails: every comparison with it is false. An infinite temperature or penalty is
 * refused, since it would make a NaN of a logit (infinity / infinity, or 0 times infinity).
 */
static int in_range(const b2s6_sampling *how)
{
    return how->repetition_penalty > 0.0f && b2s6_is_finite(how->repetition_penalty) && how->temperature >= 0.0f &&
           b2s6_is_finite(how->temperature) && how->top_p >= 0.0f && how->top_p <= 1.0f && how->min_p >= 0.0f &&
           how->min_p <= 1.0f && (how->recent || how->n_recent == 0);
}

/*
 * The bits of the logits to scratch (n), with the penalty of recent tokens. scratch is integers because
 * weights take the same place later. All recent tokens are looked at before any is used. The penalty is
 * computed from the logit itself and not from scratch, so that a token that is there twice counts once; a
 * negative logit is multiplied, since a division would make it likelier.
 */
static b2s6_status take_logits(uint32_t *scratch, const float *logits, size_t n, const b2s6_sampling *how)
{
    for (size_t i = 0; i < how->n_recent; i++)
        if (how->recent[i] < 0 || (size_t)how->recent[i] >= n)
            return B2S6_ERROR_TOKEN;
    for (size_t i = 0; i < n; i++)
        scratch[i] = b2s6_bits_of(logit(logits[i]));
    for (size_t i = 0; i < how->n_recent; i++) {
        const int32_t token = how->recent[i];
        const float x = logit(logits[token]);
        scratch[token] = b2s6_bits_of(x > 0.0f ? x / how->repetition_penalty : x * how->repetition_penalty);
    }
    return B2S6_OK;
}

/*
 * The place of the highest logit, the first of equal ones, or -1 if all are minus infinity. As
 * b2s6_argmax, of bits.
 */
static int32_t highest(const uint32_t *scratch, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (b2s6_float_of(scratch[i]) > b2s6_float_of(scratch[best]))
            best = i;
    return scratch[best] == MINUS_INFINITY ? -1 : (int32_t)best;
}

/*
 * Logits to weights in units of 2^-31 of the likeliest one's, which is 2^31: scratch holds floats before
 * and integers after. The quotient is rounded once, and what was lost of x - max is dropped: a draw does
 * not need it. A temperature so low that the quotient overflows gives minus infinity, so the weight 0, and
 * leaves the likeliest alone; 0 / temperature stays 0. done, here and below: as whole_groups says.
 */
static void make_weights(uint32_t *scratch, size_t n, size_t done, float max, float temperature)
{
#if defined(B2S6_SAMPLE_AVX2)
    if (done > 0)
        b2s6_sample_weights_avx2(scratch, done, max, temperature);
#endif
    for (size_t i = done; i < n; i++) {
        struct difference d = below(b2s6_float_of(scratch[i]), max);
        d.hi = d.hi / temperature;
        d.lo = 0.0f;
        scratch[i] = (uint32_t)power(d, WEIGHT_BITS);
    }
}

/*
 * What the weights above a limit add up to, or (count) how many they are. At most 2^23 times 2^31, that is
 * 2^54. The mask 0 - (0 or 1) keeps a weight or makes it 0 without a branch: half of them would be
 * predicted wrongly.
 */
static uint64_t above(const uint32_t *weights, size_t n, size_t done, uint32_t limit, int count)
{
    uint64_t sum = 0;
#if defined(B2S6_SAMPLE_AVX2)
    if (done > 0)
        sum = b2s6_sample_above_avx2(weights, done, limit, count);
#endif
    if (count)
        for (size_t i = done; i < n; i++)
            sum += weights[i] > limit;
    else
        for (size_t i = done; i < n; i++)
            sum += weights[i] & (0u - (uint32_t)(weights[i] > limit));
    return sum;
}

/*
 * Keeps the largest weights, of equal ones the first: as few as have enough together, or (count) so many.
 * The others become 0. enough is at least 1.
 *
 * The limit is built from the highest bit down, as a square root is: it is the largest number such that
 * the weights at or above it have enough. So those above it have too little, and of those equal to it the
 * first few are kept, until there is enough. If all weights together have too little, the limit is 0 and
 * all stay.
 */
static void keep(uint32_t *weights, size_t n, size_t done, uint64_t enough, int count)
{
    uint32_t limit = 0;
    uint64_t have;
    for (uint32_t bit = UINT32_C(1) << WEIGHT_BITS; bit; bit >>= 1)
        if (above(weights, n, done, (limit | bit) - 1, count) >= enough)
            limit |= bit; /* enough is at or above it */
    have = above(weights, n, done, limit, count);
    for (size_t i = 0; i < n; i++) {
        if (weights[i] > limit)
            continue;
        if (weights[i] < limit || have >= enough)
            weights[i] = 0;
        else
            have += count ? 1 : weights[i];
    }
}

/*
 * total p rounded up to a whole number, for total < 2^55 and p in [0, 1), in integers, so that it is the
 * same everywhere. p is taken in units of 2^-24, which truncates only values below 1/2 to a grid that
 * floats near 1 have anyhow. With total = H 2^24 + L:   total part / 2^24 = H part + L part / 2^24, where
 * H part < 2^55, L part < 2^48: nothing wraps.
 */
static uint64_t share(uint64_t total, float p)
{
    const uint64_t part = (uint64_t)(uint32_t)(p * 0x1p24f), low = (total & 0xffffff) * part;
    return (total >> 24) * part + (low >> 24) + ((low & 0xffffff) != 0);
}

/*
 * What top_k, top_p and min_p leave, in this order, each of what the one before has left. The likeliest
 * token always stays: top_k keeps at least one, top_p is asked for at least a weight of 1, and min_p is at
 * most 1, that is 2^31.
 */
static void restrict_weights(uint32_t *weights, size_t n, size_t done, const b2s6_sampling *how)
{
    if (how->top_k > 0 && how->top_k < n)
        keep(weights, n, done, how->top_k, 1);
    if (how->top_p < 1.0f) {
        const uint64_t enough = share(above(weights, n, done, 0, 0), how->top_p);
        keep(weights, n, done, enough ? enough : 1, 0);
    }
    if (how->min_p > 0.0f) {
        const uint32_t least = (uint32_t)(how->min_p * 0x1p31f);
        for (size_t i = 0; i < n; i++)
            if (weights[i] < least)
                weights[i] = 0;
    }
}

/*
 * splitmix64: a counter with an odd step (2^64 over the golden ratio), stirred by shifts and odd factors,
 * each of which can be undone. So all 2^64 values come before one comes again, any seed is as good as
 * another, 0 too, and the whole state is one number that a host can store with its stream.
 */
static uint64_t next_random(uint64_t *generator)
{
    uint64_t z = *generator += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/*
 * The upper 64 bits of the 128-bit product a b, from four products of 32 bits, since C99 has no wider
 * type. No partial sum wraps: (2^32 - 1)^2 + 2 (2^32 - 1) < 2^64. With any 64 bits as a and a total b <
 * 2^55 it is a number below b; how far its chances differ from 1 / b each is at most 2^-64, so no draw is
 * repeated until it fits.
 */
static uint64_t scaled(uint64_t a, uint64_t b)
{
    const uint64_t a_lo = a & 0xffffffff, b_lo = b & 0xffffffff, a_hi = a >> 32, b_hi = b >> 32;
    const uint64_t middle = a_hi * b_lo + (a_lo * b_lo >> 32), other = a_lo * b_hi + (middle & 0xffffffff);
    return a_hi * b_hi + (middle >> 32) + (other >> 32);
}

/*
 * The token whose part of the total a random number falls into. place is below the sum of all weights, so
 * the walk ends at a weight above 0 before the row does. The likeliest weight is 2^31 and has stayed, so
 * the total is not 0.
 */
static int32_t draw(const uint32_t *weights, size_t n, size_t done, uint64_t random)
{
    uint64_t place = scaled(random, above(weights, n, done, 0, 0));
    size_t i = 0;
    while (place >= weights[i])
        place -= weights[i++];
    return (int32_t)i;
}

/*
 * All errors are found before *generator moves and *token is written; scratch is the caller's to lose. A
 * random number is drawn for temperature 0 as well, so that a stream's later draws do not depend on the
 * temperature of earlier ones.
 */
b2s6_status b2s6_sample(int32_t *token, const float *logits, size_t n, const b2s6_sampling *how, uint64_t *generator,
                        uint32_t *scratch)
{
    b2s6_sampling known = B2S6_SAMPLING;
    b2s6_status status;
    uint64_t random;
    int32_t best;
    if (!token || !usable(logits, n) || !generator || !scratch ||
        !b2s6_take_options(&known, sizeof known, offsetof(b2s6_sampling, recent), how) || !in_range(&known))
        return B2S6_ERROR_ARGUMENT;
    status = take_logits(scratch, logits, n, &known);
    if (status != B2S6_OK)
        return status;
    best = highest(scratch, n);
    if (best < 0)
        return B2S6_ERROR_VALUE;
    random = next_random(generator);
    if (known.temperature > 0.0f) {
        const float max = b2s6_float_of(scratch[best]);
        const size_t done = whole_groups(n, max);
        make_weights(scratch, n, done, max, known.temperature);
        restrict_weights(scratch, n, done, &known);
        best = draw(scratch, n, done, random);
    }
    *token = best;
    return B2S6_OK;
}
