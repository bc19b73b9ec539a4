/*
 * test_isa.c - every instruction set that the library has and this machine can run gives the bits of portable C
 *
 * One that cannot run here is reported by name. B2S6_TEST_ISAS, a list such as "portable,sse2,avx2", names those that must
 * run: a machine of a test farm cannot lose one unnoticed.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_file.h"
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

/* Portable C, then all others; 1 if the output has values that are not finite. */
static uint32_t check_every_isa(const subject *s)
{
    size_t rows = whole_rows(&s->opened, s->input.n_steps), width = whole_width(&s->opened, 0);
    float *expected = (float *)malloc(rows * width * sizeof *expected);
    const uint32_t nan_bits = 0x7fc00000;
    opened_model portable;
    uint32_t odd = 0;
    float one_nan;
    memcpy(&one_nan, &nan_bits, sizeof one_nan);
    open_for(&portable, s, "portable");
    run_whole(&portable, &s->input, 0, expected);
    b2s6_model_close(portable.model);
    for (size_t i = 0; i < rows * width; i++) {
        odd |= isfinite(expected[i]) ? 0u : 1u;
        if (isnan(expected[i])) /* whichever NaN the machine's operations give */
            CHECK_BITS(&one_nan, &expected[i], 1);
    }
    for (size_t k = 0; b2s6_isa_name(k) != NULL; k++)
        if (b2s6_isa_is_available(k)) {
            test_context("%s on %s", s->name, b2s6_isa_name(k));
            check_bits_of(s, b2s6_isa_name(k), expected, rows, width);
        }
    test_context("%s on the default instruction set", s->name);
    check_bits_of(s, NULL, expected, rows, width);
    free(expected);
    return odd;
}

static void test_same_bits(void)
{
    for (size_t k = 0; b2s6_isa_name(k) != NULL; k++)
        if (b2s6_isa_is_available(k))
            test_note("%s", b2s6_isa_name(k));
        else
            test_note("not run here: %s, which this machine or its system does not have", b2s6_isa_name(k));
    for (size_t k = 0; k < n_subjects(N_RANDOM); k++) {
        subject s;
        subject_make(&s, subject_at(k, N_RANDOM));
        check_every_isa(&s);
        subject_free(&s);
    }
}

/*
 * Weights so large that activations overflow: infinities and NaNs have the same bits everywhere too, and a stream cut into
 * steps still gives those of one run. One tensor after another of each model is overwritten.
 */
static void check_overflow(uint64_t seed, uint32_t *n_odd)
{
    static const uint32_t huge[] = { 0x7f7fffff, 0xff7fffff, 0x7f000000, 0xfe967699 };
    random_source random = { seed };
    trained_model model;
    unsigned char *file;
    size_t size;
    generate_model(&model, seed);
    file = convert_trained(&model, &size);
    trained_free(&model);
    for (uint32_t t = 0; t < (uint32_t)get_le(file + AT_N_TENSORS, 4); t++) {
        const unsigned char *entry = file + file_entry(file, t);
        size_t offset = (size_t)get_le(entry + 32, 8), n = (size_t)get_le(entry + 40, 8) / 4;
        uint32_t role = (uint32_t)get_le(entry, 2);
        unsigned char *copy = (unsigned char *)malloc(size);
        subject s;
        if (role == ROLE_A || role == ROLE_A + 32) { /* has to stay stable */
            free(copy);
            continue;
        }
        memcpy(copy, file, size);
        for (size_t i = 0; i < n; i++) /* a positive one where a constant step must be */
            if (random_below(&random, 3) == 0)
                put_le(copy + offset + 4 * i, huge[role % 32 == ROLE_DELTA_BIAS % 32 ? 0 : random_below(&random, 4)], 4);
        file_seal(copy, size);
        subject_make_from(&s, n_cases + (size_t)seed, copy, size);
        if (s.input.n_steps > 20)
            s.input.n_steps = 20;
        *n_odd += check_every_isa(&s);
        subject_free(&s);
        free(copy);
    }
    free(file);
}

static void test_same_bits_of_overflow(void)
{
    uint32_t n_odd = 0;
    for (uint64_t seed = 0; seed < 60; seed++)
        check_overflow(seed, &n_odd);
    test_note("%u models with outputs that are infinite or not a number", n_odd);
    CHECK(n_odd > 100);
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

static const test tests[] = { TEST(test_choice), TEST(test_required_isas), TEST(test_same_bits), TEST(test_same_bits_of_overflow) };
const test_suite suite_isa = TEST_SUITE("isa", tests);
