/* test_convert_types.c - checkpoints of every type of values: F64, BF16 and F16 give the file that F32 gives */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoints.h"
#include "generate.h"
#include "suites.h"

/* The file with all tensors as this type; values must be exact in it. */
static checkpoint_file as_type(const checkpoint_file *from, const char *type, size_t size, void (*put)(unsigned char *, float))
{
    size_t length = 0, n;
    char *header, *c;
    checkpoint_file to;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | from->bytes[i];
    n = (from->size - 8 - length) / 4;
    header = (char *)calloc(1, 2 * length + 1);
    CHECK(header != NULL);
    memcpy(header, from->bytes + 8, length);
    for (c = header; (c = strstr(c, "\"F32\"")) != NULL; c += strlen(type)) {
        memmove(c + strlen(type) + 2, c + 5, strlen(c + 5) + 1);
        sprintf(c, "\"%s", type);
        c[strlen(type) + 1] = '"';
    }
    for (c = header; (c = strstr(c, "data_offsets\": [")) != NULL; ) {  /* the offsets count bytes */
        unsigned long begin, end;
        char text[64], *rest;
        c += strlen("data_offsets\": [");
        begin = strtoul(c, &rest, 10);
        end = strtoul(rest + 1, &rest, 10);
        snprintf(text, sizeof text, "%lu, %lu", begin / 4 * size, end / 4 * size);
        memmove(c + strlen(text), rest, strlen(rest) + 1);
        memcpy(c, text, strlen(text));
    }
    to = checkpoint_from(header, n * size);
    for (size_t i = 0; i < n; i++) {
        const unsigned char *b = from->bytes + 8 + length + 4 * i;
        uint32_t bits = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        float value;
        memcpy(&value, &bits, sizeof value);
        put(to.bytes + 8 + strlen(header) + i * size, value);
    }
    free(header);
    return to;
}

static void put_bytes(unsigned char *to, uint64_t bits, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)(bits >> (8 * i));
}

static void put_f64(unsigned char *to, float value)
{
    double wide = value;
    uint64_t bits;
    memcpy(&bits, &wide, sizeof bits);
    put_bytes(to, bits, 8);
}

static void put_bf16(unsigned char *to, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    CHECK_EQUAL_INT(0, bits & 0xffff);
    put_bytes(to, bits >> 16, 2);
}

/* By the definition: sign, exponent biased by 15, ten bits of fraction; below 2^-14 multiples of 2^-24. */
static void put_f16(unsigned char *to, float value)
{
    int exponent;
    double fraction = frexp(fabs((double)value), &exponent);
    unsigned bits = 0;
    if (value != 0 && exponent < -13)
        bits = (unsigned)ldexp(fabs((double)value), 24);
    else if (value != 0)
        bits = (unsigned)(exponent + 14) << 10 | ((unsigned)ldexp(fraction, 11) & 0x3ff);
    put_bytes(to, bits | (value < 0 ? 0x8000u : 0), 2);
}

/* Values that all types have: a few bits each, some of them denormal in F16. */
static void coarsen(trained_model *model)
{
    for (size_t i = 0; i < model->n_tensors; i++)
        for (size_t k = 0; k < model->tensors[i].count; k++) {
            int exponent;
            float fraction = frexpf(model->tensors[i].values[k], &exponent);
            exponent = exponent < -17 ? -17 : exponent;
            model->tensors[i].values[k] = ldexpf(floorf(fraction * 64) / 64, exponent);
        }
}

static void test_types(void)
{
    static const struct { const char *name; size_t size; void (*put)(unsigned char *, float); } types[] = {
        { "F64", 8, put_f64 }, { "BF16", 2, put_bf16 }, { "F16", 2, put_f16 }
    };
    trained_model model;
    checkpoint_file file;
    unsigned char *expected;
    size_t expected_size;
    small_model(&model, B2S6_BLOCK_MAMBA);
    coarsen(&model);
    file = checkpoint_of(&model);
    expected = check_converts(&file, &expected_size);
    for (size_t i = 0; i < 3; i++) {
        checkpoint_file other = as_type(&file, types[i].name, types[i].size, types[i].put);
        size_t size;
        unsigned char *bytes;
        test_context("%s", types[i].name);
        bytes = check_converts(&other, &size);
        CHECK_EQUAL_SIZE(expected_size, size);
        CHECK_BYTES(expected, bytes, size);
        free(bytes);
        checkpoint_release(&other);
    }
    free(expected);
    checkpoint_edit(&file, "\"dtype\": \"F32\"", "\"dtype\": \"I32\"");
    check_refused(&file, "I32 where F32, F16, BF16 or F64 is needed");
    checkpoint_release(&file);
    trained_free(&model);
}

/* The place of a tensor's first value, by the header's text. */
static unsigned char *values_of(const checkpoint_file *file, const char *name)
{
    size_t length = 0;
    char *header, *c;
    unsigned char *values;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | file->bytes[i];
    header = (char *)calloc(1, length + 1);
    CHECK(header != NULL);
    memcpy(header, file->bytes + 8, length);
    c = strstr(header, name);
    CHECK(c != NULL && (c = strstr(c, "data_offsets\": [")) != NULL);
    values = file->bytes + 8 + length + strtoul(c + strlen("data_offsets\": ["), NULL, 10);
    free(header);
    return values;
}

/*
 * A turn whose remainder rounds up to half a unit of its hi part: hi + lo is a tie then, which the library would refuse
 * if it went to hi's neighbour. Turn is A_imag * 2 / pi, in double; steps around the middle hit it on either side.
 */
static void test_split_at_a_tie(void)
{
    static const double hi[] = { 8388609, 8388610, -8388609, 16777215 };  /* a unit is 1: odd, even, negative, before a power of 2 */
    trained_model model;
    checkpoint_file narrow, file;
    small_model(&model, B2S6_BLOCK_S4);
    narrow = checkpoint_of(&model);
    file = as_type(&narrow, "F64", 8, put_f64);
    for (size_t i = 0; i < sizeof hi / sizeof hi[0]; i++)
        for (int k = -12; k <= 12; k++) {
            double turn = hi[i] + 0.5 + ldexp(k, -29), imag = turn * 1.57079632679489661923;
            unsigned char *bytes;
            b2s6_open_options options = B2S6_OPEN_OPTIONS;
            b2s6_model *opened;
            uint64_t bits;
            size_t size;
            test_context("turn %.17g", turn);
            memcpy(&bits, &imag, sizeof bits);
            put_bytes(values_of(&file, "layers.0.unit.A_imag"), bits, 8);
            bytes = check_converts(&file, &size);
            options.flags = B2S6_OPEN_VERIFY;
            CHECK_OK(b2s6_model_open_memory(&opened, bytes, size, &options, NULL));
            b2s6_model_close(opened);
            free(bytes);
        }
    checkpoint_release(&file);
    checkpoint_release(&narrow);
    trained_free(&model);
}

static const test tests[] = { TEST(test_types), TEST(test_split_at_a_tie) };
const test_suite suite_convert_types = TEST_SUITE("convert_types", tests);
