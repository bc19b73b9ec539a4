/*
 * test_weights.c - weights that are infinite, not a number or unstable, and how far open looks for them
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "guard.h"
#include "mamba2.h"
#include "model_file.h"
#include "subjects.h"
#include "suites.h"

enum { N_MODELS = 5, OF_MAMBA2 = 4 };

static unsigned char *file_of_mamba2(size_t *size)
{
    mamba2_model model;
    unsigned char *file;
    mamba2_generate_small(&model);
    file = mamba2_convert(&model, "f32", NULL, size);
    mamba2_free(&model);
    return file;
}

/* Model i of some that have every role of the format between them. */
static unsigned char *file_of(int i, size_t *size)
{
    random_source random = { 60 + (uint64_t)i };
    trained_model model;
    unit_config *unit = &model.config.unit;
    unsigned char *file;
    if (i == OF_MAMBA2)
        return file_of_mamba2(size);
    memset(&model, 0, sizeof model);
    plain_config(&model.config, 6, 2, 2);
    unit->a_scope = (b2s6_scope)(1 + i % 3);
    if (i == 1) {
        model.config.bidirectional = 1;
        unit->delta = B2S6_DELTA_CONSTANT;
        unit->c_selective = 0;
        model.config.norm = B2S6_NORM_BATCH;
    }
    if (i >= 2) {
        model.config.block = B2S6_BLOCK_MAMBA;
        model.config.d_conv = 3;
        model.config.input_kind = B2S6_FEATURES;
        unit->complex_state = i == 2;
        unit->delta = B2S6_DELTA_LOWRANK;
        unit->dt_rank = 2;
    }
    generate_tensors(&model, &random);
    file = convert_trained(&model, size);
    trained_free(&model);
    return file;
}

/* Opens with value put at byte at; the error must name that place. */
static void check_value(guard *g, const unsigned char *file, size_t size, size_t at, float value, b2s6_status expected)
{
    unsigned char *copy = (unsigned char *)malloc(size);
    b2s6_error error;
    uint32_t bits;
    memcpy(copy, file, size);
    memcpy(&bits, &value, 4);
    put_le(copy + at, bits, 4);
    file_seal(copy, size);
    CHECK_STATUS(expected, attempt_use(guard_copy(g, copy, size), size, 0, &error));
    if (expected != B2S6_OK)
        CHECK_EQUAL_U64(at, error.offset);
    CHECK_STATUS(expected, attempt_use(g->data, size, B2S6_OPEN_VERIFY, &error));
    CHECK_OK(attempt_use(g->data, size, B2S6_OPEN_TRUST, &error)); /* and then it must run all the same */
    free(copy);
}

static void test_not_finite(void)
{
    static const float values[] = { INFINITY, -INFINITY, NAN };
    for (int i = 0; i < N_MODELS; i++) {
        size_t size;
        unsigned char *file = file_of(i, &size);
        uint32_t n = (uint32_t)get_le(file + AT_N_TENSORS, 4);
        guard g;
        guard_make(&g, size);
        for (uint32_t t = 0; t < n; t++) {
            const unsigned char *entry = file + file_entry(file, t);
            size_t offset = (size_t)get_le(entry + 32, 8), count = (size_t)get_le(entry + 40, 8) / 4;
            const size_t places[] = { 0, count / 2, count - 1 }; /* the last one is often padding: finite too */
            for (size_t k = 0; k < 3; k++)
                for (size_t v = 0; v < 3; v++) {
                    test_context("model %d, tensor %u (section %u, role %u), value %zu is %g", i, t,
                                 (uint32_t)get_le(entry + 4, 4), (uint32_t)get_le(entry, 2), places[k], (double)values[v]);
                    check_value(&g, file, size, offset + 4 * places[k], values[v], B2S6_ERROR_WEIGHTS);
                }
        }
        guard_free(&g);
        free(file);
    }
}

/* The largest finite numbers are allowed anywhere but in A. What comes out means nothing, but it comes out. */
static void test_huge_but_finite(void)
{
    for (int i = 0; i < N_MODELS; i++) {
        size_t size;
        unsigned char *file = file_of(i, &size);
        uint32_t n = (uint32_t)get_le(file + AT_N_TENSORS, 4);
        guard g;
        guard_make(&g, size);
        for (uint32_t t = 0; t < n; t++) {
            const unsigned char *entry = file + file_entry(file, t);
            uint32_t role = (uint32_t)get_le(entry, 2);
            if (role == ROLE_A || role == ROLE_A + 32)
                continue;
            test_context("model %d, role %u", i, role);
            check_value(&g, file, size, (size_t)get_le(entry + 32, 8), 3.4e38f, B2S6_OK);
        }
        guard_free(&g);
        free(file);
    }
}

/* The real part of an A that does not decay, in any channel and state. */
static void test_unstable(void)
{
    static const float values[] = { 0, -0.0f, 1, 1e-45f, 3e38f };
    for (int i = 0; i < N_MODELS; i++)
        for (uint32_t role = ROLE_A; role <= ROLE_A + 32; role += 32) {
            size_t size;
            unsigned char *file = file_of(i, &size);
            file_parts parts;
            uint32_t t, lanes;
            guard g;
            file_take_apart(&parts, file);
            t = file_find_tensor(&parts, 1, role);
            guard_make(&g, size);
            lanes = parts.n_tensors > t && parts.tensors[t].cols == 16 ? 16 : 1;
            for (size_t v = 0; t < parts.n_tensors && v < sizeof values / sizeof values[0]; v++) {
                size_t offset = (size_t)get_le(file + file_entry(file, t) + 32, 8);
                uint32_t planes = i >= 3 ? 1 : 3;
                test_context("model %d, role %u, real part of A %g", i, role, (double)values[v]);
                check_value(&g, file, size, offset, values[v], B2S6_ERROR_WEIGHTS);
                if (i != OF_MAMBA2) /* one value a channel: state 1 has none of its own */
                    check_value(&g, file, size, offset + 4 * ((size_t)lanes * planes), values[v], B2S6_ERROR_WEIGHTS);
                if (lanes == 16)
                    check_value(&g, file, size, offset + 4 * 5, values[v], B2S6_ERROR_WEIGHTS); /* channel 5 */
            }
            file_free(&parts);
            guard_free(&g);
            free(file);
        }
}

/*
 * turn_lo is what rounding took from turn: one that is larger could make the states grow. What is allowed: 2^-22 of the turn,
 * and 2^-126 more for turns that are next to nothing.
 */
static void test_rest_of_turn(void)
{
    static const struct { float turn, lo; b2s6_status status; } values[] = {
        { 1, 0x1p-22f, B2S6_OK }, { -1, 0x1p-22f, B2S6_OK }, { 1, -0x1p-22f, B2S6_OK }, { 1000, 0x1p-13f, B2S6_OK },
        { 1, 0x1.00001p-22f, B2S6_ERROR_WEIGHTS }, { -1, -0x1.00001p-22f, B2S6_ERROR_WEIGHTS },
        { 1, 1, B2S6_ERROR_WEIGHTS }, { 1000, -8, B2S6_ERROR_WEIGHTS }, { 1, 3e38f, B2S6_ERROR_WEIGHTS },
        { 0, 0x1p-126f, B2S6_OK }, { 0, 0x1p-125f, B2S6_ERROR_WEIGHTS }, { 0, 0x1p-149f, B2S6_OK },
        { 0x1p-149f, -0x1p-148f, B2S6_OK }, { 0x1p-126f, 0x1p-120f, B2S6_ERROR_WEIGHTS }, { 3e38f, 0x1p100f, B2S6_OK },
    };
    for (int i = 0; i < 3; i++) { /* the last model is real */
        size_t size, at, lanes;
        unsigned char *file = file_of(i, &size);
        file_parts parts;
        uint32_t t;
        guard g;
        file_take_apart(&parts, file);
        guard_make(&g, size);
        t = file_find_tensor(&parts, 1, ROLE_A);
        lanes = parts.tensors[t].cols == 16 ? 16 : 1;
        at = (size_t)get_le(file + file_entry(file, t) + 32, 8) + 4 * (3 * lanes + lanes); /* of state 1 */
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            uint32_t bits;
            test_context("model %d, turn %a and its rest %a", i, (double)values[v].turn, (double)values[v].lo);
            memcpy(&bits, &values[v].turn, 4);
            put_le(file + at, bits, 4);
            check_value(&g, file, size, at + 4 * lanes, values[v].lo, values[v].status);
        }
        file_free(&parts);
        guard_free(&g);
        free(file);
    }
}

/* A constant step that does not step. */
static void test_constant_step_not_positive(void)
{
    static const float values[] = { 0, -0.0f, -1 };
    size_t size;
    unsigned char *file = file_of(1, &size);
    file_parts parts;
    guard g;
    file_take_apart(&parts, file);
    guard_make(&g, size);
    for (uint32_t role = ROLE_DELTA_BIAS; role <= ROLE_DELTA_BIAS + 32; role += 32) {
        uint32_t t = file_find_tensor(&parts, 1, role);
        size_t offset = (size_t)get_le(file + file_entry(file, t) + 32, 8);
        CHECK(t < parts.n_tensors);
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            test_context("role %u, step %g", role, (double)values[v]);
            check_value(&g, file, size, offset, values[v], B2S6_ERROR_WEIGHTS);
            check_value(&g, file, size, offset + 4 * 5, values[v], B2S6_ERROR_WEIGHTS);
        }
    }
    file_free(&parts);
    guard_free(&g);
    free(file);
}

/*
 * A file of more than 4 MiB: by default the small tensors are checked and the matrices left unread, as b2s6.h says; VERIFY
 * reads all, TRUST nothing.
 */
static void test_large_files(void)
{
    random_source random = { 1 };
    trained_model model;
    size_t size, embedding, a;
    unsigned char *file;
    const uint32_t nan_bits = 0x7fc00000;
    b2s6_error error;
    file_parts parts;
    guard g;
    memset(&model, 0, sizeof model);
    plain_config(&model.config, 64, 4, 2);
    model.config.input_size = 17000;
    generate_tensors(&model, &random);
    file = convert_trained(&model, &size);
    CHECK(size > 4u << 20);
    file_take_apart(&parts, file);
    embedding = (size_t)get_le(file + file_entry(file, file_find_tensor(&parts, 0, ROLE_EMBEDDING)) + 32, 8);
    a = (size_t)get_le(file + file_entry(file, file_find_tensor(&parts, 2, ROLE_A)) + 32, 8);
    guard_make(&g, size);
    guard_copy(&g, file, size);
    CHECK_OK(attempt_use(g.data, size, B2S6_OPEN_VERIFY, &error));

    file[embedding + 1000] ^= 1; /* damage in a matrix */
    guard_copy(&g, file, size);
    CHECK_OK(attempt_use(g.data, size, 0, &error));
    CHECK_STATUS(B2S6_ERROR_CHECKSUM, attempt_use(g.data, size, B2S6_OPEN_VERIFY, &error));
    CHECK_OK(attempt_use(g.data, size, B2S6_OPEN_TRUST, &error));
    file[embedding + 1000] ^= 1;

    put_le(file + embedding + 1000, nan_bits, 4); /* a matrix value, checksum right */
    file_seal(file, size);
    guard_copy(&g, file, size);
    CHECK_OK(attempt_use(g.data, size, 0, &error));
    CHECK_STATUS(B2S6_ERROR_WEIGHTS, attempt_use(g.data, size, B2S6_OPEN_VERIFY, &error));
    CHECK_EQUAL_U64(embedding + 1000, error.offset);

    put_le(file + a, nan_bits, 4); /* a small tensor */
    guard_copy(&g, file, size);
    CHECK_STATUS(B2S6_ERROR_WEIGHTS, attempt_use(g.data, size, 0, &error));
    CHECK_EQUAL_U64(a, error.offset);
    CHECK_STATUS(B2S6_ERROR_CHECKSUM, attempt_use(g.data, size, B2S6_OPEN_VERIFY, &error));
    CHECK_OK(attempt_use(g.data, size, B2S6_OPEN_TRUST, &error));
    file_free(&parts);
    guard_free(&g);
    free(file);
    trained_free(&model);
}

static const test tests[] = {
    TEST(test_not_finite), TEST(test_huge_but_finite), TEST(test_unstable), TEST(test_rest_of_turn),
    TEST(test_constant_step_not_positive), TEST(test_large_files),
};
const test_suite suite_weights = TEST_SUITE("weights", tests);
