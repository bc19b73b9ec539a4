/*
 * test_isa.c - every instruction set that the library has and this machine can run gives the bits of portable C
 *
 * One that cannot run here is reported by name. B2S6_TEST_ISAS, a list such as "portable,sse2,avx2", names those that must
 * run: a machine of a test farm cannot lose one unnoticed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "subjects.h"
#include "suites.h"

enum { N_RANDOM = 200 };

/* The subject's file opened for one instruction set. */
static void open_for(opened_model *opened, const subject *s, const char *isa)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    options.isa = isa;
    *opened = s->opened;
    CHECK_OK(b2s6_model_open_memory(&opened->model, s->opened.bytes, s->opened.size, &options, NULL));
    if (isa != NULL)
        CHECK_STRING(isa, b2s6_model_isa(opened->model));
}

static void check_bits_of(const subject *s, const char *isa, const float *expected, size_t rows, size_t width)
{
    opened_model opened;
    b2s6_state *state;
    float *out = (float *)malloc(rows * width * sizeof *out);
    open_for(&opened, s, isa);
    memset(out, 0xA5, rows * width * sizeof *out);
    run_whole(&opened, &s->input, 0, out);
    CHECK_BITS(expected, out, rows * width);
    CHECK_OK(b2s6_state_create(&state, opened.model, NULL));
    for (size_t k = 0; k < rows && k < 200 && !opened.info.bidirectional; k++) {
        CHECK_OK(step_input(state, &s->input, k, out));
        CHECK_BITS(expected + k * width, out, width);
    }
    b2s6_state_destroy(state);
    b2s6_model_close(opened.model);
    free(out);
}

static void check_subject(size_t i)
{
    subject s;
    opened_model portable;
    size_t rows, width;
    float *expected;
    subject_make(&s, i);
    rows = whole_rows(&s.opened, s.input.n_steps);
    width = whole_width(&s.opened, 0);
    expected = (float *)malloc(rows * width * sizeof *expected);
    open_for(&portable, &s, "portable");
    run_whole(&portable, &s.input, 0, expected);
    b2s6_model_close(portable.model);
    for (size_t k = 0; b2s6_isa_name(k) != NULL; k++)
        if (b2s6_isa_is_available(k)) {
            test_context("%s on %s", s.name, b2s6_isa_name(k));
            check_bits_of(&s, b2s6_isa_name(k), expected, rows, width);
        }
    test_context("%s on the default instruction set", s.name);
    check_bits_of(&s, NULL, expected, rows, width);
    free(expected);
    subject_free(&s);
}

static void test_same_bits(void)
{
    for (size_t k = 0; b2s6_isa_name(k) != NULL; k++)
        if (b2s6_isa_is_available(k))
            test_note("%s", b2s6_isa_name(k));
        else
            test_note("not run here: %s, which this machine or its system does not have", b2s6_isa_name(k));
    for (size_t i = 0; i < n_cases + N_RANDOM; i++)
        check_subject(i);
}

static int is_available(const char *name, size_t n)
{
    for (size_t k = 0; b2s6_isa_name(k) != NULL; k++)
        if (strncmp(b2s6_isa_name(k), name, n) == 0 && b2s6_isa_name(k)[n] == 0)
            return b2s6_isa_is_available(k);
    return 0;
}

static void test_required_isas(void)
{
    const char *required = getenv("B2S6_TEST_ISAS");
    while (required != NULL && *required != 0) {
        size_t n = strcspn(required, ",");
        test_context("required: %.*s", (int)n, required);
        CHECK(is_available(required, n));
        required += n + (required[n] == ',');
    }
}

/* The default is the strongest that is available; a name that is unknown or that the machine cannot run is refused. */
static void test_choice(void)
{
    subject s;
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    const char *best = NULL;
    size_t n = 0;
    subject_make(&s, 0);
    CHECK_STRING("portable", b2s6_isa_name(0));
    CHECK_EQUAL_INT(1, b2s6_isa_is_available(0));
    for (; b2s6_isa_name(n) != NULL; n++) {
        b2s6_error error;
        options.isa = b2s6_isa_name(n);
        if (b2s6_isa_is_available(n)) {
            best = b2s6_isa_name(n);
            continue;
        }
        CHECK_STATUS(B2S6_ERROR_ISA, b2s6_model_open_memory(&model, s.opened.bytes, s.opened.size, &options, &error));
        CHECK(model == NULL && error.status == B2S6_ERROR_ISA && error.message[0] != 0);
    }
    CHECK_STRING(best, b2s6_model_isa(s.opened.model));
    CHECK(b2s6_isa_name(n + 1) == NULL && b2s6_isa_name(SIZE_MAX) == NULL);
    CHECK_EQUAL_INT(0, b2s6_isa_is_available(n));
    CHECK_EQUAL_INT(0, b2s6_isa_is_available(SIZE_MAX));
    options.isa = "mmx";
    CHECK_STATUS(B2S6_ERROR_ISA, b2s6_model_open_memory(&model, s.opened.bytes, s.opened.size, &options, NULL));
    options.isa = "";
    CHECK_STATUS(B2S6_ERROR_ISA, b2s6_model_open_memory(&model, s.opened.bytes, s.opened.size, &options, NULL));
    CHECK(b2s6_model_isa(NULL) == NULL);
    subject_free(&s);
}

static const test tests[] = { TEST(test_choice), TEST(test_required_isas), TEST(test_same_bits) };
const test_suite suite_isa = TEST_SUITE("isa", tests);
