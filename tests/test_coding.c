/* test_coding.c - scores to integers, the range coder, the checksum: what compressed files rest on */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/compress/range_coder.h"
#include "../examples/cli/support/checksum.h"
#include "../examples/cli/text/prediction.h"
#include "bytes.h"
#include "suites.h"

static void test_checksum(void)
{
    const unsigned char *digits = (const unsigned char *)"123456789";
    CHECK_EQUAL_U64(0xcbf43926, checksum(0, digits, 9)); /* the check value of this CRC */
    CHECK_EQUAL_U64(0xcbf43926, checksum(checksum(0, digits, 4), digits + 4, 5));
    CHECK_EQUAL_U64(0, checksum(0, digits, 0));
}

/* ---------------------------------------------------------------------------------------------------------- frequencies */

static float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Rows as models have them, and rows as they must never have them. */
static void make_row(float *row, int kind, random_source *random)
{
    static const float odd[] = { 0.0f, -0.0f, 1e-45f, 3.4e38f, -3.4e38f, 8192.0f, 8191.999f, -8192.0f, 21.4f, -22.2f };
    for (int i = 0; i < BYTE_VALUES; i++)
        if (kind < 8)
            row[i] = random_normal(random) * (float)(1 << kind);
        else if (kind == 8)
            row[i] = RANDOM_OF(random, odd);
        else if (kind == 9)
            row[i] = float_of_bits((uint32_t)random_u64(random)); /* NaN and infinity among them */
        else
            row[i] = kind == 10 ? float_of_bits(0x7fc00000) : kind == 11 ? -3.0f : i == 77 ? 0.0f : -1e30f;
}

enum { N_KINDS = 13 };

static void check_frequencies(const float *row, uint32_t flat)
{
    uint32_t weights[BYTE_VALUES], frequencies[BYTE_VALUES];
    uint64_t sum = 0;
    weights_of_scores(row, SCALE_ONE, weights);
    frequencies_of_weights(weights, flat, frequencies);
    for (int i = 0; i < BYTE_VALUES; i++) {
        CHECK(frequencies[i] >= flat);
        CHECK(weights[i] <= WEIGHT_ONE);
        sum += frequencies[i];
        if (flat >= FLAT_MIN) {
            const uint32_t next = flat_after(flat, frequencies[i]);
            CHECK(next >= FLAT_MIN && next <= FLAT_MAX);
        }
    }
    CHECK_EQUAL_U64(FREQUENCY_TOTAL, sum);
}

/* Frequencies are those of the softmax to within the units they are counted in. */
static void check_softmax(const float *row)
{
    uint32_t weights[BYTE_VALUES], frequencies[BYTE_VALUES];
    double highest = -INFINITY, sum = 0, entropy = 0, cost = 0;
    weights_of_scores(row, SCALE_ONE, weights);
    frequencies_of_weights(weights, FLAT_MIN, frequencies);
    for (int i = 0; i < BYTE_VALUES; i++)
        highest = row[i] > highest ? row[i] : highest;
    for (int i = 0; i < BYTE_VALUES; i++)
        sum += exp(row[i] - highest);
    for (int i = 0; i < BYTE_VALUES; i++) {
        const double p = exp(row[i] - highest) / sum, expected = FLAT_MIN + p * (FREQUENCY_TOTAL - 256 * FLAT_MIN);
        CHECK_NEAR(expected, frequencies[i], 3e-5 * expected + (p > 1.0 / 256 ? 256 : 2));
        entropy -= p > 0 ? p * log2(p) : 0;
        cost -= p * log2(frequencies[i] / (double)FREQUENCY_TOTAL);
    }
    CHECK(cost - entropy < 0.0005);
}

static void test_frequencies(void)
{
    static const uint32_t flats[] = { 0, 1, FLAT_MIN, 17, 1000, 65000, FLAT_MAX };
    random_source random = { 11 };
    float row[BYTE_VALUES];
    for (int kind = 0; kind < N_KINDS; kind++)
        for (int k = 0; k < 50; k++) {
            test_context("rows of kind %d, number %d", kind, k);
            make_row(row, kind, &random);
            for (size_t i = 0; i < sizeof flats / sizeof flats[0]; i++)
                check_frequencies(row, flats[i]);
            if (kind < 8)
                check_softmax(row);
        }
}

/* The integers themselves: part of the format, so a change here needs a new version of it. */
static void test_frequencies_pinned(void)
{
    random_source random = { 12 };
    float row[BYTE_VALUES];
    uint32_t weights[BYTE_VALUES], frequencies[BYTE_VALUES], crc = 0;
    for (int k = 0; k < 300; k++) {
        make_row(row, k % N_KINDS, &random);
        weights_of_scores(row, SCALE_ONE, weights);
        frequencies_of_weights(weights, FLAT_MIN + (uint32_t)k, frequencies);
        for (int i = 0; i < BYTE_VALUES; i++) {
            const unsigned char bytes[4] = { (unsigned char)frequencies[i], (unsigned char)(frequencies[i] >> 8),
                                             (unsigned char)(frequencies[i] >> 16), (unsigned char)(frequencies[i] >> 24) };
            crc = checksum(crc, bytes, 4);
        }
    }
    CHECK_EQUAL_U64(2292134390u, crc);
}

/* -------------------------------------------------------------------------------------------------------------- coder */

enum { N_SYMBOLS = 20000, ROOM = 1 << 20 };

typedef struct memory_file {
    unsigned char *bytes; /* (ROOM) */
    size_t size, at;
} memory_file;

static void put(void *to, unsigned char byte)
{
    memory_file *f = (memory_file *)to;
    if (f->size < ROOM)
        f->bytes[f->size++] = byte;
}

static unsigned char get(void *from)
{
    memory_file *f = (memory_file *)from;
    return f->at < f->size ? f->bytes[f->at++] : 0;
}

typedef struct symbol {
    uint32_t below, frequency;
} symbol;

/*
 * Places within the total that are hard on a coder: near its end, which makes long rows of 0xff and carries into them, at
 * its beginning, the rarest and the commonest there are.
 */
static symbol hard_symbol(int kind, random_source *random)
{
    static const uint32_t lengths[] = { 1, 2, 3, 16, 255, 65536, 1 << 20, FREQUENCY_TOTAL - 255, FREQUENCY_TOTAL };
    symbol s;
    s.frequency = kind == 3 ? 1 + (uint32_t)(random_u64(random) >> 40) : RANDOM_OF(random, lengths);
    if (kind == 4)
        s.frequency = FREQUENCY_TOTAL - 1;
    s.below = FREQUENCY_TOTAL - s.frequency;
    if (kind == 1 || (kind == 2 && random_below(random, 100) == 0))
        s.below = 0;
    else if (kind == 3)
        s.below = (uint32_t)(random_u64(random) >> 40) % (s.below + 1);
    return s;
}

static void check_coder(int kind, size_t n)
{
    random_source random = { 100 + (uint64_t)kind };
    symbol *symbols = (symbol *)malloc((n + 1) * sizeof *symbols);
    memory_file f = { (unsigned char *)malloc(ROOM), 0, 0 };
    range_encoder e;
    range_decoder d;
    double bits = 0;
    range_encoder_start(&e, put, &f);
    for (size_t i = 0; i < n; i++) {
        symbols[i] = hard_symbol(kind, &random);
        range_encode(&e, symbols[i].below, symbols[i].frequency);
        bits += FREQUENCY_BITS - log2(symbols[i].frequency);
    }
    range_encoder_finish(&e);
    CHECK(f.size < ROOM);
    CHECK((double)f.size * 8 <= bits * 1.000001 + 8.01 + (double)n * 1e-6); /* not a byte more than the last takes */
    CHECK((double)f.size * 8 >= bits - 8 * 8);                              /* zeros at the end go unwritten */
    range_decoder_start(&d, get, &f);
    for (size_t i = 0; i < n; i++) {
        const uint32_t place = range_decoder_place(&d);
        CHECK(place >= symbols[i].below && place - symbols[i].below < symbols[i].frequency);
        range_decode(&d, symbols[i].below, symbols[i].frequency);
    }
    free(symbols);
    free(f.bytes);
}

static void test_coder(void)
{
    for (int kind = 0; kind < 5; kind++)
        for (size_t n = 0; n <= N_SYMBOLS; n = n < 40 ? n + 1 : n * 7) {
            test_context("symbols of kind %d, %zu of them", kind, n);
            check_coder(kind, n);
        }
}

static const test tests[] = {
    TEST(test_checksum), TEST(test_frequencies), TEST(test_frequencies_pinned), TEST(test_coder),
};
const test_suite suite_coding = TEST_SUITE("coding", tests);
