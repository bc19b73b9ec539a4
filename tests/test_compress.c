/* test_compress.c - whatever is compressed comes back as it was, in the size that it should have */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/compress/context_memory.h"
#include "../examples/cli/text/byte_model.h"
#include "../examples/cli/text/prediction.h"
#include "../examples/cli/text/score.h"
#include "bytes.h"
#include "suites.h"

static const char utf8[] = "Größe, naïve, 日本語のテキスト, Ελληνικά, 🙂 — «quoted»\n";

static void random_bytes(unsigned char *bytes, size_t n, uint64_t seed)
{
    random_source random = { seed };
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(random_u64(&random) >> 56);
}

/* The text above, in UTF-16 as far as its code points are below 65536. */
static size_t as_utf16(unsigned char *to)
{
    size_t n = 0;
    for (const unsigned char *c = (const unsigned char *)utf8; *c; c++) {
        unsigned code = *c;
        if (*c >= 0xf0)
            continue;
        if (*c >= 0xe0 && c[1] && c[2])
            code = (unsigned)(*c & 15) << 12 | (c[1] & 63u) << 6 | (c[2] & 63u);
        else if (*c >= 0xc0 && c[1])
            code = (unsigned)(*c & 31) << 6 | (c[1] & 63u);
        to[n++] = (unsigned char)code;
        to[n++] = (unsigned char)(code >> 8);
        c += *c >= 0xe0 ? 2 : *c >= 0xc0;
    }
    return n;
}

/* ----------------------------------------------------------------------------------------------------------- round trip */

static void test_contents(void)
{
    opened_model opened;
    unsigned char bytes[70000];
    open_byte_model(&opened, 1);
    CHECK_EQUAL_SIZE(12 + 4 + 1 + 4, check_round_trip(opened.model, bytes, 0));
    for (int i = 0; i < 256; i++) {
        bytes[0] = (unsigned char)i;
        test_context("the byte %d", i);
        CHECK(check_round_trip(opened.model, bytes, 1) <= 21 + 3);
    }
    test_context("all bytes");
    for (size_t i = 0; i < 512; i++)
        bytes[i] = (unsigned char)(i < 256 ? i : 511 - i);
    check_round_trip(opened.model, bytes, 256);
    check_round_trip(opened.model, bytes, 512);
    test_context("UTF-8");
    check_round_trip(opened.model, (const unsigned char *)utf8, sizeof utf8 - 1);
    test_context("UTF-16");
    check_round_trip(opened.model, bytes, as_utf16(bytes));
    for (size_t n = 2; n < sizeof bytes; n += n / 3 + 1) {
        test_context("%zu random bytes", n);
        random_bytes(bytes, n, n);
        CHECK(check_round_trip(opened.model, bytes, n) <= n + n / 500 + 24);
    }
    close_model(&opened);
}

/* Far more than any buffer. A model of random weights is no help, but the file's own past is. */
static void test_zeros(void)
{
    const size_t n = 1000000;
    unsigned char *bytes = (unsigned char *)calloc(n, 1);
    opened_model opened;
    open_byte_model(&opened, 1);
    CHECK(check_round_trip(opened.model, bytes, n) <= 200);
    free(bytes);
    close_model(&opened);
}

/* What a model wrote itself takes what the model says it takes, to one part in a thousand. */
static void test_size(void)
{
    opened_model opened;
    for (uint64_t seed = 1; seed < 4; seed++) {
        blob text;
        FILE *file;
        double ideal, size;
        open_byte_model(&opened, seed);
        text = drawn_from(opened.model, 60000, seed);
        file = file_of(text.bytes, text.size);
        ideal = scored(opened.model, file, 0, 100, NULL).bits / 8;
        size = (double)check_round_trip(opened.model, text.bytes, text.size);
        test_note("%.0f bytes by the model's own account, %.0f compressed", ideal, size);
        CHECK(ideal < 0.9 * (double)text.size);
        CHECK(size <= ideal * 1.001 + 24);
        CHECK(size >= ideal * 0.999);
        fclose(file);
        free(text.bytes);
        close_model(&opened);
    }
}

/* The worst that can be done to a model: always the byte that it thinks least likely, or that every `period` bytes. */
static size_t adverse(unsigned char *bytes, size_t n, const b2s6_model *model, size_t period)
{
    float row[BYTE_VALUES];
    byte_stream stream;
    char line[200];
    message m = { line, sizeof line };
    CHECK_EQUAL_INT(0, byte_stream_open(&stream, model, 1, NULL, &m));
    for (size_t i = 0; i < n; i++) {
        int least = 0, most = 0;
        CHECK_EQUAL_INT(0, byte_stream_next(&stream, row, &m));
        for (int k = 1; k < BYTE_VALUES; k++) {
            least = row[k] < row[least] ? k : least;
            most = row[k] > row[most] ? k : most;
        }
        bytes[i] = (unsigned char)(i % period == 0 ? least : most);
        byte_stream_take(&stream, bytes[i]);
    }
    byte_stream_close(&stream);
    return n;
}

static void test_adverse(void)
{
    opened_model opened;
    unsigned char bytes[5000];
    open_byte_model(&opened, 2);
    for (size_t period = 1; period <= 16; period *= 2) {
        test_context("least likely byte every %zu", period);
        adverse(bytes, sizeof bytes, opened.model, period);
        CHECK(check_round_trip(opened.model, bytes, sizeof bytes) <= sizeof bytes + sizeof bytes / 500 + 24);
    }
    close_model(&opened);
}

/*
 * The same against the whole: at each byte the one with the lowest frequency, or with the highest but every `period` bytes.
 * What `compress` codes with is called here directly.
 */
static double adverse_bits(size_t n, size_t period)
{
    static const float row[BYTE_VALUES] = { 3, -3, 5 };
    context_memory *memory = context_memory_create();
    uint32_t weights[BYTE_VALUES], by_model[BYTE_VALUES], frequencies[BYTE_VALUES], flat = FLAT_MIN;
    double bits = 0;
    CHECK(memory != NULL);
    weights_of_scores(row, SCALE_ONE, weights);
    for (size_t i = 0; i < n; i++) {
        int least = 0, most = 0, byte;
        uint64_t sum = 0;
        frequencies_of_weights(weights, flat, by_model);
        memcpy(frequencies, by_model, sizeof frequencies);
        context_memory_mix(memory, frequencies);
        for (int k = 0; k < BYTE_VALUES; k++) {
            CHECK(frequencies[k] > 0);
            sum += frequencies[k];
            least = frequencies[k] < frequencies[least] ? k : least;
            most = frequencies[k] > frequencies[most] ? k : most;
        }
        CHECK_EQUAL_U64(FREQUENCY_TOTAL, sum);
        byte = i % period == 0 ? least : most;
        bits -= log2(frequencies[byte] / (double)FREQUENCY_TOTAL);
        flat = flat_after(flat, by_model[byte]);
        context_memory_take(memory, (unsigned char)byte);
    }
    context_memory_destroy(memory);
    return bits;
}

static void test_adverse_to_all(void)
{
    for (size_t period = 1; period <= 64; period *= 2) {
        const double bits = adverse_bits(20000, period);
        test_context("lowest frequency every %zu", period);
        test_note("the worst byte every %2zu: %.3f bits a byte", period, bits / 20000);
        CHECK(bits / 8 <= 20000 * 1.02);
    }
}

/* ---------------------------------------------------------------------------------------------------------- the models */

static void check_no_byte_model(const model_config *config, const char *why)
{
    random_source random = { 9 };
    trained_model model;
    opened_model opened;
    char text[200] = "";
    message m = { text, sizeof text };
    memset(&model, 0, sizeof model);
    model.config = *config;
    generate_tensors(&model, &random);
    open_trained(&opened, &model);
    CHECK_EQUAL_INT(*why ? -1 : 0, byte_model_check(opened.model, &m));
    CHECK_STRING(why, text);
    close_model(&opened);
    trained_free(&model);
}

static void test_no_byte_model(void)
{
    model_config c;
    byte_config(&c);
    check_no_byte_model(&c, "");
    for (uint32_t size = 255; size <= 321; size += size == 255 || size == 320 ? 1 : 32) { /* bytes, and tokens beyond them */
        c.input_size = c.head_size = size;
        check_no_byte_model(&c, size >= 256 && size <= 320 ? "" : "not a language model of bytes: its vocabulary is not the 256 bytes, "
                                                                  "nor these and a few tokens more");
    }
    byte_config(&c);
    c.head_size = 257;
    check_no_byte_model(&c, "not a language model of bytes: its answer is not one score for each of the 256 bytes");
    c.head_size = 0;
    c.d_model = 256;
    check_no_byte_model(&c, "not a language model of bytes: its answer is not one score for each of the 256 bytes");
    byte_config(&c);
    c.input_kind = B2S6_FEATURES;
    check_no_byte_model(&c, "not a language model of bytes: it reads features");
    byte_config(&c);
    c.pool = B2S6_POOL_MEAN;
    check_no_byte_model(&c, "not a language model of bytes: it answers for the stream so far, not for the next byte");
    byte_config(&c);
    c.block = B2S6_BLOCK_S4;
    c.d_inner = c.d_model;
    c.d_conv = 0;
    c.bidirectional = 1;
    check_no_byte_model(&c, "not a language model of bytes: it is bidirectional");
}

static const test tests[] = {
    TEST(test_contents), TEST(test_zeros), TEST(test_size), TEST(test_adverse), TEST(test_adverse_to_all),
    TEST(test_no_byte_model),
};
const test_suite suite_compress = TEST_SUITE("compress", tests);
