/* test_options.c - structures that grow, flags, allocators: what open and run take and what they refuse */
#include <stdlib.h>
#include <string.h>

#include "allocator.h"
#include "subjects.h"
#include "suites.h"

/* Opens the subject's file with the options by all three ways; all must answer alike. */
static void open_with(const subject *s, const b2s6_open_options *options, b2s6_status expected)
{
    b2s6_model *model;
    b2s6_error error;
    size_t handle_size;
    void *memory;
    CHECK_STATUS(expected, b2s6_model_open_memory(&model, s->opened.bytes, s->opened.size, options, &error));
    CHECK_EQUAL_INT(expected, error.status);
    CHECK((model != NULL) == (expected == B2S6_OK));
    b2s6_model_close(model);
    CHECK_OK(b2s6_model_size(&handle_size, s->opened.bytes, s->opened.size, NULL));
    memory = aligned_memory(handle_size);
    CHECK_STATUS(expected, b2s6_model_place(&model, memory, handle_size, s->opened.bytes, s->opened.size, options, &error));
    CHECK_EQUAL_INT(expected, error.status);
    b2s6_model_close(model);
    free(memory);
    CHECK_STATUS(expected, open_by_path(&model, s, options, &error));
    CHECK_EQUAL_INT(expected, error.status);
    b2s6_model_close(model);
}

/* Two numbers of 32 bits, then pointers and sizes: what ends elsewhere is cut in a member. */
static int ends_a_member(size_t size)
{
    return size == 4 || (size >= 8 && (size - 8) % sizeof(void *) == 0);
}

/* Options of a program compiled against an older header, or against a newer one that asks for nothing new. */
static void test_open_options_sizes(void)
{
    const b2s6_open_options defaults = B2S6_OPEN_OPTIONS;
    enum { MORE = 96 };
    unsigned char *bytes = (unsigned char *)aligned_memory(sizeof defaults + MORE);
    b2s6_open_options *options = (b2s6_open_options *)(void *)bytes;
    subject s;
    subject_make(&s, 0);
    for (uint32_t size = 0; size <= sizeof defaults + MORE; size++) {
        test_context("struct_size %u", (unsigned)size);
        memset(bytes, 0, sizeof defaults + MORE);
        if (size < sizeof defaults)
            memset(bytes + size, 0xff, sizeof defaults - size); /* beyond what the caller says is there */
        options->struct_size = size;
        open_with(&s, options, ends_a_member(size) ? B2S6_OK : B2S6_ERROR_ARGUMENT);
    }
    for (size_t at = sizeof defaults; at < sizeof defaults + MORE; at++) {
        test_context("byte %zu of newer options is not zero", at);
        memset(bytes, 0, sizeof defaults + MORE);
        options->struct_size = sizeof defaults + MORE;
        bytes[at] = 1;
        open_with(&s, options, B2S6_ERROR_ARGUMENT);
    }
    free(bytes);
    subject_free(&s);
}

static void test_open_flags(void)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    subject s;
    subject_make(&s, 0);
    for (int bit = 0; bit < 32; bit++) {
        options.flags = (uint32_t)1 << bit;
        test_context("flag %d", bit);
        open_with(&s, &options, options.flags == B2S6_OPEN_VERIFY || options.flags == B2S6_OPEN_TRUST ? B2S6_OK
                                                                                                    : B2S6_ERROR_ARGUMENT);
    }
    options.flags = B2S6_OPEN_VERIFY | B2S6_OPEN_TRUST; /* read all and read nothing */
    open_with(&s, &options, B2S6_ERROR_ARGUMENT);
    open_with(&s, NULL, B2S6_OK);
    subject_free(&s);
}

/* Sizes and tails of run options; the stream is where it was after a refusal. */
static void test_run_options_sizes(void)
{
    const b2s6_run_options defaults = B2S6_RUN_OPTIONS;
    enum { MORE = 64 };
    unsigned char *bytes = (unsigned char *)aligned_memory(sizeof defaults + MORE);
    b2s6_run_options *options = (b2s6_run_options *)(void *)bytes;
    b2s6_state *state;
    subject s;
    float *expected, *out;
    size_t width;
    subject_make(&s, 0);
    width = s.opened.info.output_size;
    expected = (float *)malloc(2 * width * sizeof *expected);
    out = (float *)malloc(2 * width * sizeof *out);
    CHECK_OK(b2s6_state_create(&state, s.opened.model, NULL));
    CHECK_OK(run_input(state, &s.input, 0, 2, expected, NULL));
    for (uint32_t size = 0; size <= sizeof defaults + MORE; size++) {
        b2s6_status status = ends_a_member(size) ? B2S6_OK : B2S6_ERROR_ARGUMENT;
        test_context("struct_size %u", (unsigned)size);
        memset(bytes, 0, sizeof defaults + MORE);
        if (size < sizeof defaults)
            memset(bytes + size, 0xff, sizeof defaults - size);
        options->struct_size = size;
        CHECK_OK(b2s6_state_reset(state));
        /* where the structure ends before its flags they are not looked at: room as for none */
        CHECK_STATUS(status, b2s6_run_tokens(state, s.input.tokens, 2, out, 2 * width, options));
        CHECK_EQUAL_U64(status == B2S6_OK ? 2 : 0, b2s6_state_steps(state));
        if (status == B2S6_OK)
            CHECK_BITS(expected, out, 2 * width);
    }
    CHECK_OK(b2s6_state_reset(state));
    for (size_t at = sizeof defaults; at < sizeof defaults + MORE; at++) {
        memset(bytes, 0, sizeof defaults + MORE);
        options->struct_size = sizeof defaults + MORE;
        bytes[at] = 1;
        CHECK_STATUS(B2S6_ERROR_ARGUMENT, run_input(state, &s.input, 0, 2, out, options));
        CHECK_EQUAL_U64(0, b2s6_state_steps(state));
    }
    free(bytes);
    free(expected);
    free(out);
    b2s6_state_destroy(state);
    subject_free(&s);
}

/* An allocator with a function missing, also where none is called. */
static void test_incomplete_allocator(void)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_state *state;
    counting whole;
    subject s;
    subject_make(&s, 0);
    counting_make(&whole);
    for (int missing = 0; missing < 2; missing++) {
        b2s6_allocator half = whole.allocator;
        if (missing)
            half.allocate = NULL;
        else
            half.release = NULL;
        options.allocator = &half;
        open_with(&s, &options, B2S6_ERROR_ARGUMENT);
        CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_create(&state, s.opened.model, &half));
        CHECK(state == NULL);
    }
    options.allocator = &whole.allocator;
    open_with(&s, &options, B2S6_OK);
    counting_check(&whole, 2); /* by two ways of the three: placing allocates nothing */
    subject_free(&s);
}

static const test tests[] = {
    TEST(test_open_options_sizes), TEST(test_open_flags), TEST(test_run_options_sizes), TEST(test_incomplete_allocator),
};
const test_suite suite_options = TEST_SUITE("options", tests);
