/* test_convert.c - the converter refuses what is wrong with a B2S6 checkpoint, by name, and takes what is right in every type */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoints.h"
#include "generate.h"
#include "suites.h"

typedef struct edit {
    const char *from, *to;
    const char *error;  /* part of it */
} edit;

/* Each edit alone is refused. */
static void check_edits(b2s6_block block, const edit *edits, size_t n)
{
    trained_model model;
    checkpoint_file whole;
    size_t size;
    small_model(&model, block);
    whole = checkpoint_of(&model);
    free(check_converts(&whole, &size));
    for (size_t i = 0; i < n; i++) {
        checkpoint_file file = checkpoint_copy(&whole);
        checkpoint_edit(&file, edits[i].from, edits[i].to);
        check_refused(&file, edits[i].error);
        checkpoint_release(&file);
    }
    checkpoint_release(&whole);
    trained_free(&model);
}

#define CHECK_EDITS(block, edits) check_edits(block, edits, sizeof(edits) / sizeof((edits)[0]))

static void test_configuration(void)
{
    static const edit edits[] = {
        { "{'b2s6': 1, ", "{", "b2s6 is missing" },
        { "'b2s6': 1", "'b2s6': 2", "b2s6 is not an integer from 1 to 1" },
        { "\"b2s6\": \"", "\"other\": \"", "no configuration" },
        { "{'b2s6'", "['b2s6'", "not JSON" },
        { "'d_model': 4", "'d_model': 0", "d_model is not an integer from 1 to 65536" },
        { "'d_model': 4", "'d_model': -4", "d_model is not an integer" },
        { "'d_model': 4", "'d_model': 4.0", "d_model is not an integer" },
        { "'d_model': 4", "'d_model': '4'", "d_model is not an integer" },
        { "'d_model': 4", "'d_model': 65537", "d_model is not an integer" },
        { "'d_model': 4", "'d_model': 18446744073709551620", "d_model is not an integer" },
        { "'d_model': 4", "'d_model': 4, 'd_model': 4", "d_model is given twice" },
        { "'d_model': 4, ", "", "d_model is missing" },
        { "'d_model': 4", "'d_model': 6", "the shape is" },
        { "'n_layers': 2", "'n_layers': 0", "n_layers is not an integer" },
        { "'n_layers': 2", "'n_layers': 4097", "n_layers is not an integer" },
        { "'n_layers': 2", "'n_layers': 3", "tensor layers.2.norm.weight is missing" },
        { "'n_layers': 2", "'n_layers': 1", "the configuration has no use for it" },
        { "'n_layers': 2", "'n_layers': 2, 'colour': 1", "colour is not a key that is known" },
        { "'input': {", "'input': 1, 'x': {", "input is not an object" },
        { "'kind': 'tokens'", "'kind': 'words'", "input.kind is not one of \"tokens\", \"features\"" },
        { "'kind': 'tokens'", "'kind': 1", "input.kind is not one of" },
        { "'kind': 'tokens'", "'kind': 'features'", "tensor encoder.weight: the shape is (5, 4), the configuration needs (4, 5)" },
        { "'size': 5", "'size': 16777217", "input.size is not an integer" },
        { "'kind': 'batch'", "'kind': 'group'", "norm.kind is not one of" },
        { "'kind': 'batch'", "'kind': 'layer'", "running_mean: the configuration has no use for it" },
        { "'place': 'pre'", "'place': 'middle'", "norm.place is not one of" },
        { ", 'place': 'pre'", "", "norm.place is missing" },
        { "'eps': 1", "'eps': -1", "norm.eps is not a finite number >= 0" },
        { "'eps': 1", "'eps': 1e999, 'x': 1", "norm.eps is not a finite number >= 0" },
        { "'eps': 1", "'eps': 1e99, 'x': 1", "norm.x is not a key" },
        { "'eps': 1", "'epsilon': 1", "norm.epsilon is not a key" },
        { "'block': 's4'", "'block': 's5'", "block is not one of" },
        { "'block': 's4'", "'block': 's4', 'd_conv': 4", "d_conv is for block \"mamba\" alone" },
        { "'block': 's4'", "'block': 's4', 'd_inner': 4", "d_inner is for block \"mamba\" alone" },
        { "'block': 's4'", "'block': 's4', 'proj_bias': false", "proj_bias is for block \"mamba\" alone" },
        { "'block': 's4'", "'block': 'mamba'", "d_inner is missing" },
        { "'bidirectional': false", "'bidirectional': 0", "bidirectional is neither true nor false" },
        { "'bidirectional': false", "'bidirectional': true", "unit_rev.A_log is missing" },
        { "'h': 2", "'h': 3", "unit.h = 3 does not divide" },
        { "'h': 2", "'h': 8", "unit.h is 8, not from 1 to 4" },
        { "'h': 2", "'h': 0", "unit.h is not an integer" },
        { "'d_state': 3", "'d_state': 4097", "unit.d_state is not an integer" },
        { "'a_scope': 'layer'", "'a_scope': 'all'", "unit.a_scope is not one of" },
        { "'a_scope': 'layer'", "'a_scope': 'channel'", "A_log: the shape is (1, 3), the configuration needs (4, 3)" },
        { "'b_weight': true, 'b_bias': true", "'b_weight': false, 'b_bias': false", "both false" },
        { "'c': 'selective'", "'c': null", "unit.c is not one of" },
        { "'complex': true", "'complex': false", "the shape is" },
        { "'delta': 'block'", "'delta': 'lowrank'", "unit.dt_rank is 0, not from 1" },
        { "'dt_rank': 0", "'dt_rank': 2", "unit.delta is not \"lowrank\"" },
        { "'discretization': 'zoh'", "'discretization': 'bilinear'", "unit.discretization is not one of" },
        { "'skip': true", "'skip': 'true'", "unit.skip is neither true nor false" },
        { "'skip': true", "'skip': false", "unit.D: the configuration has no use for it" },
        { "'pool': 'none'", "'pool': 'max'", "pool is not one of" },
        { "'tied': false", "'tied': true", "head.tied" },
    };
    static const edit mamba_edits[] = {
        { "'d_conv': 3, ", "", "d_conv is missing: block \"mamba\" needs it" },
        { "'d_conv': 3", "'d_conv': 65", "d_conv is not an integer from 1 to 64" },
        { "'bidirectional': false", "'bidirectional': true", "bidirectional needs block \"s4\"" },
        { "'d_conv': 3", "'d_conv': 3, 'proj_bias': true", "layers.0.in_proj.bias is missing" },
        { "'dt_rank': 2", "'dt_rank': 0", "unit.dt_rank is 0" },
    };
    CHECK_EDITS(B2S6_BLOCK_S4, edits);
    CHECK_EDITS(B2S6_BLOCK_MAMBA, mamba_edits);
}

/* Real parameters cannot have a complex C: a contradiction of two keys that are each right. */
static void test_contradictions(void)
{
    trained_model model;
    checkpoint_file file;
    small_model(&model, B2S6_BLOCK_S4);
    file = checkpoint_of(&model);
    checkpoint_edit(&file, "'complex': true", "'complex': false");
    checkpoint_edit(&file, "'c_complex': false", "'c_complex': true");
    check_refused(&file, "unit.c_complex needs unit.complex");
    checkpoint_release(&file);
    trained_free(&model);
}

static void check_model_refused(const trained_model *model, const char *error)
{
    checkpoint_file file = checkpoint_of(model);
    check_refused(&file, error);
    checkpoint_release(&file);
}

/* Every tensor of a model: with a value that is none, of another shape, under another name, and missing. */
static void check_tensors(b2s6_block block)
{
    static const float bad[] = { NAN, INFINITY, -INFINITY };
    trained_model whole;
    small_model(&whole, block);
    for (size_t i = 0; i < whole.n_tensors; i++) {
        trained_model model;
        trained_tensor *t;
        char error[100];
        trained_copy(&model, &whole);
        t = &model.tensors[i];
        test_context("%s", t->name);
        for (size_t k = 0; k < 3; k++) {
            float good = t->values[t->count - 1];
            t->values[t->count - 1] = bad[k];
            snprintf(error, sizeof error, "tensor %s: the value at [", t->name);
            check_model_refused(&model, error);
            t->values[t->count - 1] = good;
        }
        t->shape[0] = t->rank > 1 ? t->count : 1;  /* the values in a row, or a row of one's own */
        t->shape[1] = t->count;
        t->rank = t->rank > 1 ? 1 : 2;
        snprintf(error, sizeof error, "tensor %s: the shape is (", t->name);
        check_model_refused(&model, error);
        snprintf(t->name, sizeof t->name, "%s", "surplus");
        snprintf(error, sizeof error, "tensor %s is missing", whole.tensors[i].name);
        check_model_refused(&model, error);
        trained_remove(&model, "surplus");
        check_model_refused(&model, error);
        trained_free(&model);
    }
    trained_free(&whole);
}

static void test_tensors(void)
{
    check_tensors(B2S6_BLOCK_S4);
    check_tensors(B2S6_BLOCK_MAMBA);
}

static void test_surplus_tensor(void)
{
    static const size_t shape[] = { 2, 2 };
    trained_model model;
    small_model(&model, B2S6_BLOCK_S4);
    trained_add(&model, "layers.0.unit.extra", 2, shape);
    check_model_refused(&model, "tensor layers.0.unit.extra: the configuration has no use for it");
    trained_free(&model);
}

/* Values that are finite, but of which no sound model can be made. */
static void test_values(void)
{
    static const struct { const char *tensor; float value; const char *error; } cases[] = {
        { "layers.1.unit.A_log", 100, "exp(A_log) is infinite" },
        { "layers.1.unit.A_log", 1e30f, "exp(A_log) is infinite" },
        { "layers.1.unit.A_log", -110, "exp(A_log) is zero" },
        { "layers.1.unit.A_log", -1e30f, "exp(A_log) is zero" },
        { "layers.0.norm.running_var", -1, "variance plus eps is not positive" },
        { "layers.1.norm.weight", 3e38f, "too large for a float" },
    };
    trained_model whole;
    small_model(&whole, B2S6_BLOCK_S4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        trained_model model;
        trained_copy(&model, &whole);
        test_context("%s is %g", cases[i].tensor, (double)cases[i].value);
        trained_find(&model, "", cases[i].tensor)->values[0] = cases[i].value;
        if (strstr(cases[i].tensor, "norm.weight"))
            trained_find(&model, "layers.1.", "norm.running_var")->values[0] = 1e-6f;
        check_model_refused(&model, cases[i].error);
        trained_free(&model);
    }
    trained_free(&whole);
}

static void test_constant_step(void)
{
    static const struct { float b; const char *error; } cases[] = { { 100, "is infinite" }, { -120, "is zero" } };
    for (size_t i = 0; i < 2; i++) {
        random_source random = { 3 };
        trained_model model;
        memset(&model, 0, sizeof model);
        plain_config(&model.config, 4, 2, 3);
        model.config.unit.delta = B2S6_DELTA_CONSTANT;
        generate_tensors(&model, &random);
        trained_find(&model, "layers.0.", "unit.b")->values[1] = cases[i].b;
        check_model_refused(&model, cases[i].error);
        trained_free(&model);
    }
}

/* Cut short at every byte, and with one byte more, a file is refused. */
static void test_truncated(void)
{
    trained_model model;
    checkpoint_file whole;
    small_model(&model, B2S6_BLOCK_S4);
    whole = checkpoint_of(&model);
    for (size_t size = 0; size < whole.size; size++) {
        checkpoint_file file = { (unsigned char *)malloc(size + (size == 0)), size };
        CHECK(file.bytes != NULL);
        memcpy(file.bytes, whole.bytes, size);
        test_context("%zu of %zu bytes", size, whole.size);
        check_refused(&file, "");
        checkpoint_release(&file);
    }
    whole.bytes = (unsigned char *)realloc(whole.bytes, whole.size + 1);
    CHECK(whole.bytes != NULL);
    whole.bytes[whole.size++] = 0;
    check_refused(&whole, "1 bytes behind the last tensor");
    checkpoint_release(&whole);
    trained_free(&model);
}

/* ------------------------------------------------------------------------------------------------------- types of values */

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

/* -------------------------------------------------------------------------------------------------------------- the rest */

/* Strings are carried over, whatever they are; PyTorch's count of batches is let pass. */
static void test_metadata(void)
{
    trained_model model;
    checkpoint_file file;
    unsigned char *bytes;
    b2s6_model *opened;
    size_t size;
    small_model(&model, B2S6_BLOCK_S4);
    trained_add(&model, "layers.0.norm.num_batches_tracked", 0, NULL);
    file = checkpoint_of(&model);
    checkpoint_edit(&file, "{\"__metadata__\": {", "{\"__metadata__\": {\"empty\": \"\", \"na\\u00efve\": \"\\ud83d\\ude00 \\\"x\\\"\\n\", ");
    bytes = check_converts(&file, &size);
    CHECK_OK(b2s6_model_open_memory(&opened, bytes, size, NULL, NULL));
    CHECK_STRING("", b2s6_model_metadata(opened, "empty"));
    CHECK_STRING("\xf0\x9f\x98\x80 \"x\"\n", b2s6_model_metadata(opened, "na\xc3\xafve"));
    CHECK_STRING("x", b2s6_model_metadata(opened, "source"));
    CHECK(b2s6_model_metadata(opened, "b2s6") == NULL);
    b2s6_model_close(opened);
    free(bytes);
    checkpoint_edit(&file, "\"empty\": \"\"", "\"source\": \"elsewhere\"");
    bytes = check_converts(&file, &size);
    CHECK_OK(b2s6_model_open_memory(&opened, bytes, size, NULL, NULL));
    CHECK_STRING("elsewhere", b2s6_model_metadata(opened, "source"));
    b2s6_model_close(opened);
    free(bytes);
    checkpoint_release(&file);
    trained_free(&model);
}

static const test tests[] = {
    TEST(test_configuration), TEST(test_contradictions), TEST(test_tensors), TEST(test_surplus_tensor), TEST(test_values),
    TEST(test_constant_step), TEST(test_truncated), TEST(test_types), TEST(test_split_at_a_tie),
    TEST(test_metadata),
};

const test_suite suite_convert = TEST_SUITE("convert", tests);
