/* test_sample.c - log-probabilities against double, the likeliest tokens, drawing, rows that no model should answer with */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/support/checksum.h"
#include "random.h"
#include "suites.h"

enum { LARGEST = 60000 };

static float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Rows as models have them, narrow and wide; equal logits, whose rounding errors all have one sign; one that stands out. */
static void make_row(float *row, size_t n, int kind, random_source *random)
{
    const float level = random_uniform(random) * 32.0f; /* exact products: nothing to contract */
    for (size_t i = 0; i < n; i++)
        switch (kind) {
        case 0: row[i] = random_normal(random); break;
        case 1: row[i] = random_normal(random) * 8.0f + level; break;
        case 2: row[i] = random_normal(random) * 200.0f; break;
        case 3: row[i] = level; break;
        case 4: row[i] = i == n / 2 ? level + 11.3f : level; break;
        case 5: row[i] = i == n / 3 ? level : level - 7.7f - random_uniform(random) * 0x1p-7f; break;
        default: row[i] = float_of_bits((uint32_t)random_u64(random) & 0xbfffffffu); break; /* below 2 in size */
        }
}

enum { N_KINDS = 7 };

static double log_sum(const float *row, size_t n, double *max)
{
    double sum = 0, lost = 0;
    *max = row[0];
    for (size_t i = 1; i < n; i++)
        *max = row[i] > *max ? row[i] : *max;
    for (size_t i = 0; i < n; i++) {
        const double term = exp(row[i] - *max) - lost, next = sum + term;
        lost = (next - sum) - term;
        sum = next;
    }
    return log(sum);
}

static double worst; /* error in units of 2^-24 max(1, |log p|) */

static void check_row(const float *row, size_t n, float *out)
{
    double max;
    const double shared = log_sum(row, n, &max);
    CHECK_OK(b2s6_log_softmax(row, n, out));
    for (size_t i = 0; i < n; i++) {
        const double exact = row[i] - max - shared, unit = 0x1p-24 * (fabs(exact) > 1 ? fabs(exact) : 1);
        const double error = fabs(out[i] - exact) / unit;
        worst = error > worst || error != error ? error : worst;
        if (i % 997 == 0) {
            const float one = b2s6_log_probability(row, n, (int32_t)i);
            CHECK_BITS(&one, &out[i], 1);
        }
    }
    CHECK(worst <= 4);
}

static void test_log_softmax(void)
{
    static const size_t sizes[] = { 1, 2, 3, 15, 16, 17, 256, 1000, 50280 };
    random_source random = { 31 };
    float *row = malloc(LARGEST * sizeof *row), *out = malloc(LARGEST * sizeof *out);
    CHECK(row && out);
    worst = 0;
    for (int kind = 0; kind < N_KINDS; kind++)
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
            for (int k = 0; k < (sizes[s] > 2000 ? 5 : 60); k++) {
                test_context("rows of kind %d, %u values, number %d", kind, (unsigned)sizes[s], k);
                make_row(row, sizes[s], kind, &random);
                check_row(row, sizes[s], out);
            }
    test_note("log-probabilities are off by at most %.2f 2^-24 max(1, |log p|)", worst);
    make_row(row, 300, 1, &random);
    CHECK_OK(b2s6_log_softmax(row, 300, out));
    CHECK_OK(b2s6_log_softmax(row, 300, row)); /* in place */
    CHECK_BITS(out, row, 300);
    free(row);
    free(out);
}

/* ------------------------------------------------------------------------------------------------------------- odd rows */

#define NAN_BITS 0x7fc00000u
#define INFINITE 0x7f800000u
#define MINUS_INFINITE 0xff800000u

static void test_odd_rows(void)
{
    const float nan = float_of_bits(NAN_BITS), inf = float_of_bits(INFINITE), minus = float_of_bits(MINUS_INFINITE);
    const float mixed[4] = { nan, 1.0f, minus, 1.0f }, infinite[4] = { inf, 3e38f, inf, nan }, none[3] = { nan, minus, nan };
    const float far[3] = { -3e38f, 3e38f, 0.0f }, zeros[2] = { -0.0f, 0.0f };
    float out[4] = { 7, 7, 7, 7 };
    const float half = b2s6_log_probability(mixed, 4, 1);
    CHECK_NEAR(-0.6931471805599453, half, 0x1p-24);
    CHECK_OK(b2s6_log_softmax(mixed, 4, out));
    CHECK(out[0] == minus && out[1] == half && out[2] == minus && out[3] == half);
    CHECK_EQUAL_INT(1, b2s6_argmax(mixed, 4));
    CHECK_OK(b2s6_log_softmax(infinite, 4, out));
    CHECK(out[0] == half && out[1] == minus && out[2] == half && out[3] == minus);
    CHECK_EQUAL_INT(0, b2s6_argmax(infinite, 4));
    out[0] = 7;
    CHECK_STATUS(B2S6_ERROR_VALUE, b2s6_log_softmax(none, 3, out));
    CHECK(out[0] == 7);
    CHECK(bits_of_float(b2s6_log_probability(none, 3, 0)) == NAN_BITS);
    CHECK_EQUAL_INT(-1, b2s6_argmax(none, 3));
    CHECK_OK(b2s6_log_softmax(far, 3, out));
    CHECK(out[0] == minus && out[1] == 0.0f && out[2] == -3e38f);
    CHECK_EQUAL_INT(0, b2s6_argmax(zeros, 2));
    CHECK_EQUAL_INT(-1, b2s6_argmax(zeros, 0));
    CHECK_EQUAL_INT(-1, b2s6_argmax(NULL, 2));
    CHECK(bits_of_float(b2s6_log_probability(zeros, 2, 2)) == NAN_BITS);
    CHECK(bits_of_float(b2s6_log_probability(zeros, 2, -1)) == NAN_BITS);
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_log_softmax(zeros, 0, out));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_log_softmax(zeros, (size_t)B2S6_LOGITS_MAX + 1, out));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_log_softmax(NULL, 2, out));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_log_softmax(zeros, 2, NULL));
}

/* ----------------------------------------------------------------------------------------------------------------- top k */

static void test_top_k(void)
{
    random_source random = { 33 };
    for (int round = 0; round < 400; round++) {
        enum { N = 60 };
        float row[N];
        int32_t tokens[N + 1];
        const size_t k = random_below(&random, N + 2);
        size_t found, n_numbers = 0;
        for (int i = 0; i < N; i++)
            row[i] = random_below(&random, 9) == 0 ? float_of_bits(NAN_BITS) : (float)random_below(&random, 20);
        for (int i = 0; i < N; i++)
            n_numbers += row[i] == row[i];
        found = b2s6_top_k(row, N, k, tokens);
        CHECK_EQUAL_SIZE(k < n_numbers ? k : n_numbers, found);
        for (size_t i = 0; i < found; i++) { /* its place is how many come before it */
            size_t before = 0;
            for (int j = 0; j < N; j++)
                before += row[j] > row[tokens[i]] || (row[j] == row[tokens[i]] && j < tokens[i]);
            CHECK_EQUAL_SIZE(i, before);
        }
        if (found)
            CHECK_EQUAL_INT(b2s6_argmax(row, N), tokens[0]);
    }
}

/* --------------------------------------------------------------------------------------------------------------- drawing */

enum { VALUES = 40, DRAWS = 40000 };

/* Which tokens a row and its options leave, by the words of b2s6.h in double; p (VALUES) their probabilities. */
static void expected_probabilities(const float *row, const b2s6_sampling *how, double *p)
{
    double logits[VALUES], max = -INFINITY, sum = 0, kept = 0;
    int order[VALUES];
    for (int i = 0; i < VALUES; i++) {
        logits[i] = row[i];
        for (size_t k = 0; k < how->n_recent; k++)
            if (how->recent[k] == i)
                logits[i] = row[i] > 0 ? row[i] / how->repetition_penalty : row[i] * how->repetition_penalty;
        max = logits[i] > max ? logits[i] : max;
        order[i] = i;
    }
    for (int i = 1; i < VALUES; i++)
        for (int k = i; k > 0 && logits[order[k]] > logits[order[k - 1]]; k--) {
            const int swapped = order[k];
            order[k] = order[k - 1];
            order[k - 1] = swapped;
        }
    for (int i = 0; i < VALUES; i++)
        p[i] = exp((logits[i] - max) / how->temperature);
    for (uint32_t i = how->top_k ? how->top_k : VALUES; i < VALUES; i++)
        p[order[i]] = 0;
    for (int i = 0; i < VALUES; i++)
        sum += p[i];
    for (int i = 0; i < VALUES; i++) {
        if (i > 0 && kept >= how->top_p * sum)
            p[order[i]] = 0;
        kept += p[order[i]];
    }
    sum = 0;
    for (int i = 0; i < VALUES; i++) {
        p[i] = p[i] < how->min_p ? 0 : p[i];
        sum += p[i];
    }
    for (int i = 0; i < VALUES; i++)
        p[i] /= sum;
}

static void check_draws(const float *row, const b2s6_sampling *how, uint64_t seed)
{
    int counts[VALUES] = { 0 };
    double p[VALUES], chi = 0;
    uint32_t scratch[VALUES];
    uint64_t generator = seed;
    int n_kept = 0;
    expected_probabilities(row, how, p);
    for (int i = 0; i < DRAWS; i++) {
        int32_t token;
        CHECK_OK(b2s6_sample(&token, row, VALUES, how, &generator, scratch));
        CHECK(token >= 0 && token < VALUES);
        counts[token]++;
    }
    for (int i = 0; i < VALUES; i++) {
        const double expected = p[i] * DRAWS;
        CHECK(p[i] > 0 || counts[i] == 0);
        if (p[i] > 0) {
            chi += (counts[i] - expected) * (counts[i] - expected) / (expected > 1 ? expected : 1);
            n_kept++;
        }
    }
    CHECK(chi < n_kept + 6 * sqrt(2.0 * n_kept) + 6);
}

static void test_draws(void)
{
    static const int32_t recent[] = { 3, 17, 3, 39 };
    static const struct { float penalty, temperature; uint32_t top_k; float top_p, min_p; } cases[] = {
        { 1, 1, 0, 1, 0 }, { 1, 0.5f, 0, 1, 0 }, { 1, 2, 0, 1, 0 }, { 1, 1, 5, 1, 0 }, { 1, 1, 1, 1, 0 }, { 1, 1, 0, 0.6f, 0 },
        { 1, 1, 0, 0, 0 }, { 1, 1, 0, 1, 0.2f }, { 1, 1, 0, 1, 1 }, { 1.5f, 1, 0, 1, 0 }, { 0.5f, 0.8f, 20, 0.9f, 0.05f },
    };
    random_source random = { 34 };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
        for (int k = 0; k < 3; k++) {
            b2s6_sampling how = B2S6_SAMPLING;
            float row[VALUES];
            test_context("case %u, row %d", (unsigned)c, k);
            how.repetition_penalty = cases[c].penalty;
            how.temperature = cases[c].temperature;
            how.top_k = cases[c].top_k;
            how.top_p = cases[c].top_p;
            how.min_p = cases[c].min_p;
            how.recent = recent;
            how.n_recent = 4;
            for (int i = 0; i < VALUES; i++)
                row[i] = k == 2 ? (float)random_below(&random, 4) : random_normal(&random) * 2; /* with ties */
            check_draws(row, &how, random_u64(&random));
        }
}

static void refuse(b2s6_status expected, const float *row, size_t n, const b2s6_sampling *how)
{
    uint32_t scratch[4];
    uint64_t generator = 5;
    int32_t token = -9;
    CHECK_STATUS(expected, b2s6_sample(&token, row, n, how, &generator, scratch));
    CHECK(generator == 5 && token == -9);
}

static void test_draws_refused(void)
{
    const float row[4] = { 1, 2, 3, 4 }, nan = float_of_bits(NAN_BITS), none[2] = { nan, float_of_bits(MINUS_INFINITE) };
    static const int32_t outside[] = { 4 };
    const float wrong[] = { -1.0f, nan, float_of_bits(INFINITE) };
    b2s6_sampling how = B2S6_SAMPLING;
    struct { b2s6_sampling known; uint64_t more; } longer = { B2S6_SAMPLING, 0 };
    uint32_t scratch[4];
    uint64_t generator = 1;
    int32_t token;
    refuse(B2S6_ERROR_ARGUMENT, row, 0, NULL);
    refuse(B2S6_ERROR_ARGUMENT, NULL, 4, NULL);
    refuse(B2S6_ERROR_VALUE, none, 2, NULL);
    for (int i = 0; i < 3; i++) {
        float *const members[] = { &how.repetition_penalty, &how.temperature, &how.top_p, &how.min_p };
        for (int k = 0; k < 4; k++) {
            const float right = *members[k];
            *members[k] = wrong[i];
            refuse(B2S6_ERROR_ARGUMENT, row, 4, &how);
            *members[k] = right;
        }
    }
    how.repetition_penalty = 0;
    refuse(B2S6_ERROR_ARGUMENT, row, 4, &how);
    how.repetition_penalty = 1;
    how.n_recent = 1;
    refuse(B2S6_ERROR_ARGUMENT, row, 4, &how);
    how.recent = outside;
    refuse(B2S6_ERROR_TOKEN, row, 4, &how);
    longer.known.struct_size = sizeof longer;
    CHECK_OK(b2s6_sample(&token, row, 4, &longer.known, &generator, scratch));
    longer.more = 1;
    refuse(B2S6_ERROR_ARGUMENT, row, 4, &longer.known);
    how.n_recent = 0;
    how.temperature = 0;
    CHECK_OK(b2s6_sample(&token, row, 4, &how, &generator, scratch));
    CHECK_EQUAL_INT(3, token);
    how.temperature = 1e-45f; /* so small that its inverse is infinite */
    CHECK_OK(b2s6_sample(&token, row, 4, &how, &generator, scratch));
    CHECK_EQUAL_INT(3, token);
}

/* ---------------------------------------------------------------------------------------------------------------- digest */

static uint32_t add_bits(uint32_t crc, uint32_t bits)
{
    const unsigned char bytes[4] = { (unsigned char)bits, (unsigned char)(bits >> 8), (unsigned char)(bits >> 16),
                                     (unsigned char)(bits >> 24) };
    return checksum(crc, bytes, 4);
}

/* Every bit of every answer: another number on another machine or compiler is a defect. */
static void test_same_bits_everywhere(void)
{
    random_source random = { 35 };
    uint32_t crc = 0, scratch[256];
    uint64_t generator = 7;
    float row[256], out[256];
    for (int k = 0; k < 700; k++) {
        b2s6_sampling how = B2S6_SAMPLING;
        int32_t token;
        make_row(row, 256, k % N_KINDS, &random);
        how.temperature = 0.1f + (float)(k % 13) * 0.25f;
        how.top_k = (uint32_t)(k % 5) * 20;
        how.top_p = 1.0f - (float)(k % 3) * 0.25f;
        CHECK_OK(b2s6_log_softmax(row, 256, out));
        for (int i = 0; i < 256; i++)
            crc = add_bits(crc, bits_of_float(out[i]));
        CHECK_OK(b2s6_sample(&token, row, 256, &how, &generator, scratch));
        crc = add_bits(crc, (uint32_t)token);
    }
    CHECK_EQUAL_U64(947252983u, crc);
}

/* What has no probability changes nothing: a long row, which some machines read eight at a time, answers as a short one. */
static void check_long_row(const float *row, size_t n, float *wide, size_t n_wide, size_t at)
{
    static const float nothing[] = { -INFINITY, NAN, -1e37f };
    static uint32_t scratch[LARGEST];
    for (size_t i = 0; i < n_wide; i++)
        wide[i] = nothing[i % 3];
    memcpy(wide + at, row, n * sizeof *row);
    for (size_t i = 0; i < n; i += 97)
        CHECK_EQUAL_U64(bits_of_float(b2s6_log_probability(row, n, (int32_t)i)),
                        bits_of_float(b2s6_log_probability(wide, n_wide, (int32_t)(i + at))));
    for (uint32_t k = 0; k < 40; k++) {
        b2s6_sampling how = B2S6_SAMPLING;
        uint64_t one = k, other = k;
        int32_t short_token, long_token;
        how.temperature = k % 5 == 0 ? 1.0f : k % 5 == 1 ? 0.8f : k % 5 == 2 ? 0.01f : k % 5 == 3 ? 30.0f : 1e-38f;
        how.top_k = k % 3 == 0 ? 20 : 0;
        how.top_p = k % 4 == 0 ? 0.9f : 1.0f;
        how.min_p = k % 7 == 0 ? 0.1f : 0.0f;
        CHECK_OK(b2s6_sample(&short_token, row, n, &how, &one, scratch));
        CHECK_OK(b2s6_sample(&long_token, wide, n_wide, &how, &other, scratch));
        CHECK_EQUAL_INT(short_token + (int32_t)at, long_token);
    }
}

static void test_long_rows(void)
{
    enum { N = 1500 }; /* short enough to be read one by one */
    static float row[N], wide[LARGEST];
    random_source random = { 77 };
    for (int kind = 0; kind < N_KINDS; kind++)
        for (size_t k = 0; k < 12; k++) {
            const size_t n_wide = 4096 + k * 509, at = k < 6 ? k * 301 : n_wide - N - (k - 6);
            test_context("kind %d, %d logits from %zu of %zu on", kind, (int)N, at, n_wide);
            make_row(row, N, kind, &random);
            if (k % 4 == 3)
                row[k] = k == 3 ? INFINITY : -INFINITY;
            check_long_row(row, N, wide, n_wide, at);
        }
}

/* The longest row there may be: of equal logits its sum is 2^63 units, as large as any can be; of all but one a little less. */
static void test_longest_row(void)
{
    const size_t n = B2S6_LOGITS_MAX;
    float *row = malloc(n * sizeof *row);
    uint32_t *scratch = malloc(n * sizeof *scratch);
    uint64_t generator = 11;
    int32_t token = -1;
    CHECK(row && scratch);
    for (size_t i = 0; i < n; i++)
        row[i] = 3.5f;
    CHECK_NEAR(-log((double)n), b2s6_log_probability(row, n, 12345), 4 * 0x1p-24 * log((double)n));
    CHECK_OK(b2s6_sample(&token, row, n, NULL, &generator, scratch));
    CHECK(token >= 0 && (size_t)token < n);
    row[n / 3] = 2.5f;
    CHECK_NEAR(-log((double)n - 1 + exp(-1)), b2s6_log_probability(row, n, 12345), 4 * 0x1p-24 * log((double)n));
    CHECK_NEAR(-log((double)n - 1 + exp(-1)) - 1, b2s6_log_probability(row, n, (int32_t)(n / 3)), 4 * 0x1p-24 * log((double)n));
    free(scratch);
    free(row);
}

static const test tests[] = {
    TEST(test_log_softmax), TEST(test_odd_rows), TEST(test_top_k), TEST(test_draws), TEST(test_draws_refused),
    TEST(test_same_bits_everywhere), TEST(test_long_rows), TEST(test_longest_row),
};
const test_suite suite_sample = TEST_SUITE("sample", tests);
