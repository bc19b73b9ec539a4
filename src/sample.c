/*
 * Logits to probabilities and tokens: what every host of a language model needs, for one row.
 *
 * Plain C with the portable fused multiply-add: one text and the same bits everywhere. Probabilities are added up as integers,
 * so that sums are exact and their order does not matter. docs/arithmetic.md writes the sequences out.
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

/* A NaN counts as minus infinity. */
static float logit(float x)
{
    return x == x ? x : b2s6_float_of(MINUS_INFINITY);
}

static int usable(const float *logits, size_t n)
{
    return logits && n > 0 && n <= B2S6_LOGITS_MAX;
}

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

/* x - max exactly, as a sum of two floats: hi is x - max rounded. */
struct difference {
    float hi, lo;
};

/* Where max is infinite a logit is either as large or out of all proportion. */
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

/* e^d in units of 2^-bits, rounded down, for d <= 0. 2^f - 1 is the polynomial of the other elementary functions. */
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
    p = (int32_t)(b2s6_fma(f, LN2, f * q) * 0x1p30f); /* the product is exact */
    return (uint64_t)(INT32_C(0x40000000) + p) << (bits - 30) >> -k;
}

/* The natural logarithm of sum 2^-SUM_BITS >= 1, as a sum of two floats of which hi is exact. */
static struct difference logarithm(uint64_t sum)
{
    const int top = b2s6_top_bit(sum);
    const uint64_t bits = sum << (62 - top);
    float m = (float)(uint32_t)(bits >> 39) * 0x1p-23f, rest = (float)(uint32_t)(bits >> 15 & 0xffffff) * 0x1p-47f;
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

/* What all log-probabilities of a row share. */
struct shared {
    float max;
    struct difference log_sum;
};

/* 0 if there are no probabilities. */
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

static float log_probability(const struct shared *row, float x)
{
    const struct difference d = below(logit(x), row->max);
    if (!b2s6_is_finite(d.hi))
        return d.hi;
    return (d.hi - row->log_sum.hi) + (d.lo - row->log_sum.lo);
}

float b2s6_log_probability(const float *logits, size_t n, int32_t token)
{
    struct shared row;
    if (!usable(logits, n) || token < 0 || (size_t)token >= n || !measure(&row, logits, n))
        return b2s6_float_of(NO_NUMBER);
    return log_probability(&row, logits[token]);
}

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

static int in_range(const b2s6_sampling *how)
{
    return how->repetition_penalty > 0.0f && b2s6_is_finite(how->repetition_penalty) && how->temperature >= 0.0f &&
           b2s6_is_finite(how->temperature) && how->top_p >= 0.0f && how->top_p <= 1.0f && how->min_p >= 0.0f &&
           how->min_p <= 1.0f && (how->recent || how->n_recent == 0);
}

/* The bits of the logits to scratch, with the penalty of recent tokens. */
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

/* The place of the highest logit, or -1. */
static int32_t highest(const uint32_t *scratch, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (b2s6_float_of(scratch[i]) > b2s6_float_of(scratch[best]))
            best = i;
    return scratch[best] == MINUS_INFINITY ? -1 : (int32_t)best;
}

/*
 * Logits to weights: 2^31 for the likeliest. A temperature so low that its inverse is infinite leaves the likeliest alone.
 * done, here and below: as whole_groups says.
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

/* What the weights above a limit add up to, or (count) how many they are. Without branches: half of them would go wrong. */
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
 * Keeps the largest weights, of equal ones the first: as few as have enough together, or (count) so many. The others become
 * 0.
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

/* total p rounded up to a whole number, total < 2^55; p in units of 2^-24. */
static uint64_t share(uint64_t total, float p)
{
    const uint64_t part = (uint64_t)(uint32_t)(p * 0x1p24f), low = (total & 0xffffff) * part;
    return (total >> 24) * part + (low >> 24) + ((low & 0xffffff) != 0);
}

/* What top_k, top_p and min_p leave. The likeliest token always stays. */
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

/* splitmix64 */
static uint64_t next_random(uint64_t *generator)
{
    uint64_t z = *generator += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* The upper 64 bits of a b, b < 2^55: a number below b if a is any 64 bits. */
static uint64_t scaled(uint64_t a, uint64_t b)
{
    const uint64_t a_lo = a & 0xffffffff, b_lo = b & 0xffffffff, a_hi = a >> 32, b_hi = b >> 32;
    const uint64_t middle = a_hi * b_lo + (a_lo * b_lo >> 32), other = a_lo * b_hi + (middle & 0xffffffff);
    return a_hi * b_hi + (middle >> 32) + (other >> 32);
}

static int32_t draw(const uint32_t *weights, size_t n, size_t done, uint64_t random)
{
    uint64_t place = scaled(random, above(weights, n, done, 0, 0));
    size_t i = 0;
    while (place >= weights[i])
        place -= weights[i++];
    return (int32_t)i;
}

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
