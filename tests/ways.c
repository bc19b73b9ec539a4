/* ways.c - every way through a model */
#include "ways.h"

#include <stdlib.h>
#include <string.h>

#include "../examples/cli/support/thread_pool.h"
#include "streams.h"
#include "test.h"

enum { CHUNK = 7, STREAMS = 5 };

static void check_steps(const subject *s, b2s6_state *state, const float *rows, size_t from, float *scratch)
{
    const size_t width = whole_width(&s->opened, 0);
    for (size_t k = from; k < s->input.n_steps; k++) {
        CHECK_OK(step_input(state, &s->input, k, scratch));
        CHECK_BITS(rows + k * width, scratch, width);
    }
}

/* Runs of a few steps with room for half as many; of a bidirectional model the whole sequence at once. */
static void check_chunks(const subject *s, b2s6_state *state, const float *rows, float *scratch, b2s6_run_options *options)
{
    const size_t width = whole_width(&s->opened, 0), n_steps = s->input.n_steps;
    const size_t chunk = s->opened.info.bidirectional ? n_steps : CHUNK;
    CHECK_OK(b2s6_state_reset(state));
    for (size_t k = 0; k < n_steps; k += chunk) {
        const size_t n = n_steps - k < chunk ? n_steps - k : chunk;
        options->workspace_size = b2s6_workspace_size(s->opened.model, n) / (s->opened.info.bidirectional ? 1 : 2);
        CHECK_OK(run_input(state, &s->input, k, n, scratch, options));
        CHECK_BITS(rows + k * width, scratch, whole_rows(&s->opened, n) * width);
    }
}

static void check_batches(const subject *s, b2s6_run_options *options)
{
    static const size_t list[STREAMS] = { 2, 0, 4, 1, 3 };
    crowd c;
    crowd_make(&c, s, STREAMS, 1);
    for (size_t n = STREAMS; n > 0; n--) {
        options->workspace_size = b2s6_workspace_size(s->opened.model, 2) * (n % 2);
        crowd_batch(&c, list, n, 0, options);
    }
    crowd_check(&c);
    crowd_free(&c);
}

void check_ways(const subject *s, size_t n_threads, const float *rows)
{
    const size_t count = whole_rows(&s->opened, s->input.n_steps) * whole_width(&s->opened, 0);
    const size_t longest = s->input.n_steps > STREAMS ? s->input.n_steps : STREAMS;
    float *scratch = (float *)malloc(count * sizeof *scratch);
    thread_pool *pool = thread_pool_create(n_threads);
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    b2s6_state *state;
    CHECK(scratch != NULL && pool != NULL);
    options.workspace = aligned_memory(b2s6_workspace_size(s->opened.model, longest));
    options.parallel = thread_pool_parallel(pool);
    CHECK_OK(b2s6_state_create(&state, s->opened.model, NULL));
    check_chunks(s, state, rows, scratch, &options);
    if (!s->opened.info.bidirectional) {
        CHECK_OK(b2s6_state_reset(state));
        check_steps(s, state, rows, 0, scratch);
        check_batches(s, &options);
    }
    b2s6_state_destroy(state);
    thread_pool_destroy(pool);
    free(options.workspace);
    free(scratch);
}

unsigned char *check_journey(const subject *s, const float *rows, const unsigned char *received, size_t received_size,
                             size_t *size)
{
    const size_t half = s->input.n_steps / 2;
    unsigned char *snapshot;
    b2s6_state *state;
    float *scratch;
    if (s->opened.info.bidirectional)
        return NULL;
    scratch = (float *)malloc(whole_width(&s->opened, 0) * sizeof *scratch);
    CHECK(scratch != NULL);
    *size = b2s6_snapshot_size(s->opened.model);
    CHECK_OK(b2s6_state_create(&state, s->opened.model, NULL));
    CHECK_OK(run_input(state, &s->input, 0, half, NULL, NULL));
    snapshot = saved(state);
    b2s6_state_destroy(state);
    if (received != NULL) {
        CHECK_EQUAL_SIZE(*size, received_size);
        CHECK_BYTES(snapshot, received, *size);
    }
    CHECK_OK(b2s6_state_create(&state, s->opened.model, NULL));
    CHECK_OK(b2s6_state_restore(state, received ? received : snapshot, *size));
    check_steps(s, state, rows, half, scratch);
    b2s6_state_destroy(state);
    free(scratch);
    return snapshot;
}
