/*
 * test_bits.c - a stream gives the same bits however it is cut: into steps, runs, chunks, forks; with any workspace
 *
 * All comparisons are with one run over the whole input, of every stored case and of random models.
 */
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "subjects.h"
#include "suites.h"

enum { N_RANDOM = 150 };

/* A subject with its rows of one run: out (rows, width), hidden (rows, d_model). */
typedef struct whole {
    subject s;
    size_t rows, width, d_model;
    float *out, *hidden;
    float *scratch; /* as large as the larger of the two, for what is compared */
    b2s6_state *state;
} whole;

static float *floats(size_t count)
{
    float *values = (float *)malloc((count + 1) * sizeof *values);
    CHECK(values != NULL);
    memset(values, 0xA5, (count + 1) * sizeof *values);
    return values;
}

static void whole_make(whole *w, size_t i)
{
    subject_make(&w->s, i);
    w->rows = whole_rows(&w->s.opened, w->s.input.n_steps);
    w->width = whole_width(&w->s.opened, 0);
    w->d_model = w->s.opened.info.d_model;
    w->out = floats(w->rows * w->width);
    w->hidden = floats(w->rows * w->d_model);
    w->scratch = floats(w->rows * (w->width > w->d_model ? w->width : w->d_model));
    run_whole(&w->s.opened, &w->s.input, 0, w->out);
    run_whole(&w->s.opened, &w->s.input, B2S6_RUN_HIDDEN, w->hidden);
    CHECK_OK(b2s6_state_create(&w->state, w->s.opened.model, NULL));
}

static void whole_free(whole *w)
{
    b2s6_state_destroy(w->state);
    subject_free(&w->s);
    free(w->out);
    free(w->hidden);
    free(w->scratch);
}

/* Calls check for every subject that is causal (or for every bidirectional one). */
static void for_each(void (*check)(whole *), int bidirectional)
{
    size_t n = 0;
    for (size_t k = 0; k < n_subjects(N_RANDOM); k++) {
        whole w;
        whole_make(&w, subject_at(k, N_RANDOM));
        if ((int)w.s.opened.info.bidirectional == bidirectional) {
            check(&w);
            n++;
        }
        whole_free(&w);
    }
    test_note("%zu models", n);
    CHECK(n > (bidirectional ? 10u : 50u));
}

/* ------------------------------------------------------------------------------------------------------ steps, chunks */

static void check_steps(whole *w)
{
    for (size_t k = 0; k < w->rows; k++) {
        CHECK_EQUAL_U64(k, b2s6_state_steps(w->state));
        CHECK_OK(step_input(w->state, &w->s.input, k, w->scratch));
        CHECK_BITS(w->out + k * w->width, w->scratch, w->width);
    }
    CHECK_EQUAL_U64(w->rows, b2s6_state_steps(w->state));
}

static void test_steps(void) { for_each(check_steps, 0); }

/*
 * Runs of chunk steps, the workspace filled with garbage before each, a page behind it that cannot be touched; flags and
 * rows as the caller says.
 */
static void run_chunks(whole *w, size_t chunk, size_t workspace_size, uint32_t flags)
{
    const float *expected = flags & B2S6_RUN_HIDDEN ? w->hidden : w->out;
    size_t width = flags & B2S6_RUN_HIDDEN ? w->d_model : w->width;
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    size_t room = (workspace_size + B2S6_ALIGNMENT - 1) / B2S6_ALIGNMENT * B2S6_ALIGNMENT;
    guard g;
    guard_make(&g, room);
    guard_room(&g, room);
    options.flags = flags;
    options.workspace_size = workspace_size;
    options.workspace = workspace_size ? g.data : NULL;
    CHECK_OK(b2s6_state_reset(w->state));
    for (size_t k = 0; k < w->rows; k += chunk) {
        size_t n = w->rows - k < chunk ? w->rows - k : chunk;
        size_t n_out = flags & B2S6_RUN_LAST ? 1 : n, first = flags & B2S6_RUN_LAST ? k + n - 1 : k;
        memset(g.data, 0xA5, room);
        memset(w->scratch, 0xA5, (n_out * width + 1) * sizeof *w->scratch);
        CHECK_OK(run_input(w->state, &w->s.input, k, n, w->scratch, &options));
        CHECK_BITS(expected + first * width, w->scratch, n_out * width);
        CHECK(((unsigned char *)(w->scratch + n_out * width))[0] == 0xA5); /* and not a float more */
        for (size_t i = workspace_size; i < room; i++)
            CHECK_EQUAL_INT(0xA5, g.data[i]);
    }
    CHECK_EQUAL_U64(w->rows, b2s6_state_steps(w->state));
    guard_free(&g);
}

static void check_chunks(whole *w)
{
    static const size_t chunks[] = { 1, 2, 3, 7, 64 };
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        size_t full = b2s6_workspace_size(w->s.opened.model, chunks[i]);
        size_t one = b2s6_workspace_size(w->s.opened.model, 1);
        const size_t sizes[] = { 0, 1, 64, one - (one != 0), one, one + one / 2, full / 2, full - (full != 0), full,
                                 full + 1000 };
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            if (w->rows > 1000 && k % 3 != i % 3)
                continue; /* of the long case a third of the sizes for each chunk */
            test_context("%s, chunks of %zu, workspace %zu of %zu", w->s.name, chunks[i], sizes[k], full);
            run_chunks(w, chunks[i], sizes[k], k % 4 == 3 ? B2S6_RUN_HIDDEN : 0);
        }
        test_context("%s, chunks of %zu, last row", w->s.name, chunks[i]);
        run_chunks(w, chunks[i], full, B2S6_RUN_LAST);
        run_chunks(w, chunks[i], 0, B2S6_RUN_LAST);
        run_chunks(w, chunks[i], full, B2S6_RUN_LAST | B2S6_RUN_HIDDEN);
    }
    test_context("%s, one run", w->s.name);
    run_chunks(w, w->rows, 0, 0);
    run_chunks(w, w->rows, b2s6_workspace_size(w->s.opened.model, w->rows), B2S6_RUN_LAST);
    run_chunks(w, w->rows, b2s6_workspace_size(w->s.opened.model, w->rows), B2S6_RUN_LAST | B2S6_RUN_HIDDEN);
}

static void test_chunks(void) { for_each(check_chunks, 0); }

/* Steps and runs of random lengths, now and then without output. */
static void check_mixed(whole *w)
{
    random_source random = { 5 };
    size_t workspace_size = b2s6_workspace_size(w->s.opened.model, 5);
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    void *workspace = aligned_memory(workspace_size);
    for (size_t k = 0; k < w->rows;) {
        size_t n = 1 + random_below(&random, 20), silent = random_below(&random, 3) == 0;
        n = n > w->rows - k ? w->rows - k : n;
        options.workspace = random_below(&random, 2) ? workspace : NULL;
        options.workspace_size = options.workspace ? workspace_size : 0;
        if (random_below(&random, 2)) {
            n = 1;
            CHECK_OK(step_input(w->state, &w->s.input, k, silent ? NULL : w->scratch));
        } else {
            CHECK_OK(run_input(w->state, &w->s.input, k, n, silent ? NULL : w->scratch, &options));
        }
        if (!silent)
            CHECK_BITS(w->out + k * w->width, w->scratch, n * w->width);
        k += n;
    }
    free(workspace);
}

static void test_mixed(void) { for_each(check_mixed, 0); }

/* A run of no steps changes nothing. */
static void check_no_steps(whole *w)
{
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    CHECK_EQUAL_SIZE(0, b2s6_workspace_size(w->s.opened.model, 0));
    CHECK_OK(run_input(w->state, &w->s.input, 0, 0, w->scratch, &options));
    CHECK_EQUAL_U64(0, b2s6_state_steps(w->state));
    CHECK_OK(step_input(w->state, &w->s.input, 0, NULL));
    CHECK_OK(run_input(w->state, &w->s.input, 1, 0, w->scratch, NULL));
    CHECK_EQUAL_U64(1, b2s6_state_steps(w->state));
    if (w->rows > 1) {
        CHECK_OK(step_input(w->state, &w->s.input, 1, w->scratch));
        CHECK_BITS(w->out + w->width, w->scratch, w->width);
    }
}

static void test_no_steps(void) { for_each(check_no_steps, 0); }

/* ------------------------------------------------------------------------------------------------------- reset, forks */

static void check_reset(whole *w)
{
    size_t before = w->rows < 9 ? w->rows : 9;
    for (size_t k = 0; k < before; k++)
        CHECK_OK(step_input(w->state, &w->s.input, w->rows - 1 - k, NULL));
    CHECK_OK(b2s6_state_reset(w->state));
    check_steps(w);
}

static void test_reset(void) { for_each(check_reset, 0); }

/* The rest of the stream from `from` on. */
static void check_rest(whole *w, b2s6_state *state, size_t from)
{
    CHECK_EQUAL_U64(from, b2s6_state_steps(state));
    for (size_t k = from; k < w->rows; k++) {
        CHECK_OK(step_input(state, &w->s.input, k, w->scratch));
        CHECK_BITS(w->out + k * w->width, w->scratch, w->width);
    }
}

/*
 * A stream forked in its middle onto a state that was elsewhere. The original's memory is then overwritten and freed, and
 * the copy goes on: nothing in a state points into itself or into another.
 */
static void check_fork(whole *w)
{
    size_t size = b2s6_state_size(w->s.opened.model), half = w->rows / 2;
    void *memory = aligned_memory(size);
    b2s6_state *original, *copy;
    CHECK_OK(b2s6_state_place(&original, w->s.opened.model, memory, size));
    CHECK_OK(b2s6_state_create(&copy, w->s.opened.model, NULL));
    for (size_t k = 0; k < half; k++) {
        CHECK_OK(step_input(original, &w->s.input, k, NULL));
        CHECK_OK(step_input(copy, &w->s.input, w->rows - 1 - k, NULL));
    }
    CHECK_OK(step_input(copy, &w->s.input, 0, NULL)); /* as many steps would hide that they are not copied */
    CHECK_OK(b2s6_state_copy(copy, original));
    CHECK_OK(b2s6_state_copy(w->state, original));
    check_rest(w, original, half); /* the original goes on as if nothing had happened */
    CHECK_OK(b2s6_state_copy(original, original));
    b2s6_state_destroy(original);
    memset(memory, 0xA5, size);
    free(memory);
    check_rest(w, copy, half); /* and so does the copy, whose twin has gone elsewhere meanwhile */
    check_rest(w, w->state, half);
    b2s6_state_destroy(copy);
}

static void test_fork(void) { for_each(check_fork, 0); }

/* ------------------------------------------------------------------------------------------------------- bidirectional */

static void check_bidirectional(whole *w)
{
    const model_input *input = &w->s.input;
    size_t size = b2s6_workspace_size(w->s.opened.model, input->n_steps), extra = size + 4096;
    unsigned char *memory = (unsigned char *)aligned_memory(extra);
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    options.workspace = memory;
    for (size_t pass = 0; pass < 3; pass++) { /* with exactly enough, with more, and without output in between */
        options.workspace_size = pass == 1 ? extra : size;
        memset(memory, 0xA5, extra);
        options.flags = 0;
        CHECK_OK(run_input(w->state, input, 0, input->n_steps, w->scratch, &options));
        CHECK_BITS(w->out, w->scratch, w->rows * w->width);
        CHECK_OK(run_input(w->state, input, 0, input->n_steps, NULL, &options));
        options.flags = B2S6_RUN_LAST;
        CHECK_OK(run_input(w->state, input, 0, input->n_steps, w->scratch, &options));
        CHECK_BITS(w->out + (w->rows - 1) * w->width, w->scratch, w->width);
        options.flags = B2S6_RUN_LAST | B2S6_RUN_HIDDEN;
        CHECK_OK(run_input(w->state, input, 0, input->n_steps, w->scratch, &options));
        CHECK_BITS(w->hidden + (w->rows - 1) * w->d_model, w->scratch, w->d_model);
        CHECK(pass == 1 || memory[size] == 0xA5);
    }
    CHECK_STATUS(B2S6_ERROR_BIDIRECTIONAL, step_input(w->state, input, 0, w->scratch));
    options.workspace_size = size - 1;
    CHECK_STATUS(B2S6_ERROR_SIZE, run_input(w->state, input, 0, input->n_steps, w->scratch, &options));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, run_input(w->state, input, 0, 0, w->scratch, &options));
    free(memory);
}

static void test_bidirectional(void) { for_each(check_bidirectional, 1); }

/* ------------------------------------------------------------------------------------------------------------- overlap */

/* The output row may lie over the features it was computed from. */
static void check_overlap(whole *w)
{
    size_t in = w->s.opened.info.input_size, larger = in > w->width ? in : w->width;
    float *row;
    if (w->s.opened.info.input_kind != B2S6_FEATURES)
        return;
    row = floats(larger);
    for (size_t k = 0; k < w->rows; k++) {
        memcpy(row, w->s.input.features + k * in, in * sizeof *row);
        CHECK_OK(b2s6_step_features(w->state, row, in, row, w->width));
        CHECK_BITS(w->out + k * w->width, row, w->width);
    }
    free(row);
}

static void test_overlap(void) { for_each(check_overlap, 0); }

static const test tests[] = {
    TEST(test_steps), TEST(test_chunks), TEST(test_mixed), TEST(test_no_steps), TEST(test_reset), TEST(test_fork),
    TEST(test_bidirectional), TEST(test_overlap),
};
const test_suite suite_bits = TEST_SUITE("bits", tests);
