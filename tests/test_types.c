/* test_types.c - matrices as halves and integers: near the model in floats, the same bits everywhere, and checked when opened */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_file.h"
#include "subjects.h"
#include "suites.h"
#include "ways.h"

enum { N_RANDOM = 60 };

static const char *const types[] = { "f16", "q8", "q4" };
static const b2s6_type numbers[] = { B2S6_F16, B2S6_Q8, B2S6_Q4 };

enum { N_TYPES_TESTED = sizeof types / sizeof types[0] };

/* Subject i in a type, and the rows of one run of it. */
static float *rows_of(subject *s, size_t i, const char *type, size_t *n)
{
    float *rows;
    subject_type = type;
    subject_make(s, i);
    subject_type = "f32";
    *n = whole_rows(&s->opened, s->input.n_steps) * whole_width(&s->opened, 0);
    rows = (float *)malloc(*n * sizeof *rows);
    if (!rows)
        FAIL("out of memory");
    run_whole(&s->opened, &s->input, 0, rows);
    return rows;
}

static size_t case_number(const char *name)
{
    for (size_t i = 0; i < n_cases; i++)
        if (strcmp(case_names[i], name) == 0)
            return i;
    FAIL("no such case");
    return 0;
}

/*
 * ||typed - floats|| / ||floats|| of two models with random weights. q4 is to stay below 5 %, and does so on the second; on the
 * first, where 4 bits hold 16 columns of unrelated numbers, 6.3 % is what it reaches (docs/performance.md).
 */
static void test_error(void)
{
    static const char *const names[] = { "b2s6-mamba", "b2s6-s4" };
    static const double most[2][N_TYPES_TESTED] = { { 0.001, 0.01, 0.065 }, { 0.001, 0.01, 0.05 } };
    for (size_t c = 0; c < 2; c++)
        for (size_t t = 0; t < N_TYPES_TESTED; t++) {
            subject floats, typed;
            size_t n, same;
            double error = 0, size = 0;
            float *expected = rows_of(&floats, case_number(names[c]), "f32", &n);
            float *rows = rows_of(&typed, case_number(names[c]), types[t], &same);
            CHECK_EQUAL_SIZE(n, same);
            for (size_t i = 0; i < n; i++) {
                error += ((double)rows[i] - expected[i]) * ((double)rows[i] - expected[i]);
                size += (double)expected[i] * expected[i];
            }
            test_note("%-12s %-4s %.3f %% of the output", names[c], types[t], 100 * sqrt(error / size));
            CHECK(sqrt(error / size) <= most[c][t]);
            /* of a small model as q4 most weights may lie in the matrices that stay q8 */
            CHECK(typed.opened.info.weight_type == numbers[t] || (t == 2 && typed.opened.info.weight_type == B2S6_Q8));
            CHECK_EQUAL_U64(floats.opened.info.parameter_count, typed.opened.info.parameter_count);
            CHECK(typed.opened.size < floats.opened.size);
            subject_free(&floats);
            subject_free(&typed);
            free(expected);
            free(rows);
        }
}

/* On every instruction set, and by every way: steps, chunks, batches, threads. */
static void check_bits_of(const subject *s, const float *rows, size_t n)
{
    float *out = (float *)malloc(n * sizeof *out);
    for (size_t k = 0; b2s6_isa_name(k) != NULL; k++) {
        b2s6_open_options options = B2S6_OPEN_OPTIONS;
        opened_model other = s->opened;
        if (!b2s6_isa_is_available(k))
            continue;
        options.isa = b2s6_isa_name(k);
        test_context("%s, %s", s->name, options.isa);
        CHECK_OK(b2s6_model_open_memory(&other.model, s->opened.bytes, s->opened.size, &options, NULL));
        run_whole(&other, &s->input, 0, out);
        CHECK_BITS(rows, out, n);
        b2s6_model_close(other.model);
    }
    free(out);
}

static void test_same_bits(void)
{
    for (size_t k = 0; b2s6_isa_name(k) != NULL; k++)
        if (!b2s6_isa_is_available(k))
            test_note("%s: this machine cannot run it", b2s6_isa_name(k));
    for (size_t t = 0; t < N_TYPES_TESTED; t++)
        for (size_t k = 0; k < n_subjects(N_RANDOM); k++) {
            const size_t i = subject_at(k, N_RANDOM);
            subject s;
            size_t n;
            float *rows = rows_of(&s, i, types[t], &n);
            check_bits_of(&s, rows, n);
            test_context("%s as %s", s.name, types[t]);
            check_ways(&s, 1 + i % 3, rows);
            subject_free(&s);
            free(rows);
        }
}

/* A half that is infinite, a scale that is not a number: the first two bytes of each matrix. */
static void test_not_finite(void)
{
    for (size_t t = 0; t < N_TYPES_TESTED; t++) {
        size_t size, n_matrices = 0;
        subject_type = types[t];
        unsigned char *file = convert_case("b2s6-mamba", &size);
        subject_type = "f32";
        file_parts parts;
        file_take_apart(&parts, file);
        for (uint32_t i = 0; i < parts.n_tensors; i++) {
            unsigned char *copy = (unsigned char *)aligned_memory(size), *at;
            b2s6_model *model;
            b2s6_error error;
            if (parts.tensors[i].type == B2S6_F32) {
                free(copy);
                continue;
            }
            n_matrices++;
            memcpy(copy, file, size);
            at = copy + get_le(copy + file_entry(copy, i) + 32, 8);
            put_le(at, numbers[t] == B2S6_F16 ? 0x7c00 : 0x7fc0, 2);
            file_seal(copy, size);
            test_context("%s, tensor %u", types[t], (unsigned)i);
            CHECK_STATUS(B2S6_ERROR_WEIGHTS, b2s6_model_open_memory(&model, copy, size, NULL, &error));
            CHECK(model == NULL && error.message[0] != 0);
            CHECK_EQUAL_U64((uint64_t)(at - copy), error.offset);
            free(copy);
        }
        CHECK(n_matrices >= 4);
        file_free(&parts);
        free(file);
    }
}

static const test tests[] = { TEST(test_error), TEST(test_same_bits), TEST(test_not_finite) };
const test_suite suite_types = TEST_SUITE("types", tests);
