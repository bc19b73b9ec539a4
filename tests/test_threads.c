/* test_threads.c - one model, many threads: each stream gives the bits that it gives alone */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "subjects.h"
#include "suites.h"

enum { N_THREADS = 4, N_ROUNDS = 8 };

/* What one thread does: its own state over the shared model, again and again. */
typedef struct stream {
    const subject *s;
    const float *expected; /* (rows, width) */
    size_t count;          /* rows * width */
    size_t chunk;
    int differs; /* the thread's finding */
} stream;

static int run_stream(const stream *job, b2s6_state *state, float *out, b2s6_run_options *options)
{
    const opened_model *opened = &job->s->opened;
    size_t n_steps = job->s->input.n_steps, chunk = opened->info.bidirectional ? n_steps : job->chunk;
    memset(out, 0xA5, job->count * sizeof *out);
    if (b2s6_state_reset(state) != B2S6_OK)
        return 1;
    for (size_t k = 0; k < n_steps; k += chunk) {
        size_t n = n_steps - k < chunk ? n_steps - k : chunk;
        if (run_input(state, &job->s->input, k, n, out + k * opened->info.output_size, options) != B2S6_OK)
            return 1;
    }
    return memcmp(job->expected, out, job->count * sizeof *out) != 0;
}

static void *thread(void *argument)
{
    stream *job = (stream *)argument;
    const opened_model *opened = &job->s->opened;
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    b2s6_state *state = NULL;
    float *out = (float *)malloc(job->count * sizeof *out);
    options.workspace_size = b2s6_workspace_size(opened->model, opened->info.bidirectional ? job->s->input.n_steps : job->chunk);
    options.workspace = aligned_memory(options.workspace_size);
    job->differs = out == NULL || b2s6_state_create(&state, opened->model, NULL) != B2S6_OK;
    for (int i = 0; i < N_ROUNDS && !job->differs; i++)
        job->differs = run_stream(job, state, out, &options);
    b2s6_state_destroy(state);
    free(options.workspace);
    free(out);
    return NULL;
}

static void check_subject(size_t i)
{
    pthread_t threads[N_THREADS];
    stream jobs[N_THREADS];
    subject s;
    size_t count;
    float *expected;
    subject_make(&s, i);
    count = whole_rows(&s.opened, s.input.n_steps) * whole_width(&s.opened, 0);
    expected = (float *)malloc(count * sizeof *expected);
    run_whole(&s.opened, &s.input, 0, expected);
    for (size_t t = 0; t < N_THREADS; t++) {
        stream job = { NULL, NULL, 0, 0, 1 };
        job.s = &s;
        job.expected = expected;
        job.count = count;
        job.chunk = 1 + 5 * t;
        jobs[t] = job;
        CHECK_EQUAL_INT(0, pthread_create(&threads[t], NULL, thread, &jobs[t]));
    }
    for (size_t t = 0; t < N_THREADS; t++)
        CHECK_EQUAL_INT(0, pthread_join(threads[t], NULL));
    for (size_t t = 0; t < N_THREADS; t++)
        CHECK_EQUAL_INT(0, jobs[t].differs);
    free(expected);
    subject_free(&s);
}

static void test_one_model_many_threads(void)
{
    for (size_t k = 0; k < n_subjects(20); k++)
        if (k >= n_cases || strcmp(case_names[k], "long") != 0)
            check_subject(subject_at(k, 20));
}

static const test tests[] = { TEST(test_one_model_many_threads) };
const test_suite suite_threads = TEST_SUITE("threads", tests);
