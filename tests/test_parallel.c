/*
 * test_parallel.c - the host's threads change no bit: steps, runs, batches and whole sequences cut into any number of tasks,
 * done in any order and on real threads
 */
#include <stdlib.h>
#include <string.h>

#include "parallel_for.h"
#include "streams.h"
#include "suites.h"

enum { N_RANDOM = 30, N_WIDE = 6, STREAMS = 6 };

/* ------------------------------------------------------------------------------------------------------------ subjects */

/*
 * Models wide enough for many tasks: s4 with h blocks; mamba, low-rank delta and pooling; bidirectional with blocks of two
 * channels; bidirectional with one pooled row; a vocabulary of more than 4096 panels; and blocks and a low rank so tall that
 * their products too are worked on another way when there are many rows.
 */
static void wide_config(model_config *c, size_t i)
{
    static const uint32_t widths[] = { 200, 96, 160, 120, 8, 138 }, blocks[] = { 8, 4, 80, 5, 2, 3 };
    plain_config(c, widths[i], blocks[i], i == 0 ? 8 : 3);
    c->head_size = i == 0 ? 1100 : 40;
    c->bidirectional = i == 2 || i == 3;
    if (i == 1) {
        c->block = B2S6_BLOCK_MAMBA;
        c->d_inner = 272;
        c->d_conv = 4;
        c->unit.delta = B2S6_DELTA_LOWRANK;
        c->unit.dt_rank = 40;
        c->unit.complex_state = c->unit.conjugate = 0;
        c->unit.a_scope = B2S6_SCOPE_CHANNEL;
    }
    if (i == 1 || i == 3)
        c->pool = B2S6_POOL_MEAN;
    if (i == 2) {
        c->input_kind = B2S6_FEATURES;
        c->input_size = 20;
    }
    if (i == 4) {
        c->input_size = c->head_size = 16 * MAX_TASKS + 40;
        c->head_tied = 1;
        c->head_bias = 0;
    }
    if (i == 5) {
        c->unit.d_state = 33;
        c->unit.c_complex = 1;
        c->unit.delta = B2S6_DELTA_LOWRANK;
        c->unit.dt_rank = 130;
    }
}

static void wide_make(subject *s, size_t i)
{
    random_source random = { 1000 + i };
    trained_model model;
    memset(&model, 0, sizeof model);
    memset(s, 0, sizeof *s);
    wide_config(&model.config, i);
    generate_tensors(&model, &random);
    open_trained(&s->opened, &model);
    generate_input(&s->input, &model.config, i == 4 ? 3 : 23, &random);
    strcpy(s->name, "wide-0");
    s->name[5] = (char)('0' + i);
    trained_free(&model);
}

/* What all ways must give: the rows of one run on one thread, those before the head, the state afterwards, six streams. */
typedef struct answer {
    subject *s;
    size_t rows, width, d_model;
    float *out, *hidden, *scratch;
    unsigned char *end; /* of a causal model */
    b2s6_state *state;
    void *workspace;
    b2s6_run_options options;
} answer;

static float *floats(size_t count)
{
    float *values = (float *)malloc((count + 1) * sizeof *values);
    CHECK(values != NULL);
    return values;
}

static void answer_make(answer *a, subject *s)
{
    const b2s6_run_options defaults = B2S6_RUN_OPTIONS;
    const size_t steps = s->input.n_steps > STREAMS ? s->input.n_steps : STREAMS;
    a->s = s;
    a->rows = whole_rows(&s->opened, s->input.n_steps);
    a->width = whole_width(&s->opened, 0);
    a->d_model = s->opened.info.d_model;
    a->out = floats(a->rows * a->width);
    a->hidden = floats(a->rows * a->d_model);
    a->scratch = floats(a->rows * (a->width > a->d_model ? a->width : a->d_model));
    run_whole(&s->opened, &s->input, 0, a->out);
    run_whole(&s->opened, &s->input, B2S6_RUN_HIDDEN, a->hidden);
    CHECK_OK(b2s6_state_create(&a->state, s->opened.model, NULL));
    a->options = defaults;
    a->options.workspace_size = b2s6_workspace_size(s->opened.model, steps);
    a->options.workspace = aligned_memory(a->options.workspace_size);
    CHECK_OK(run_input(a->state, &s->input, 0, s->input.n_steps, a->scratch, &a->options));
    a->end = saved(a->state);
}

static void answer_free(answer *a)
{
    b2s6_state_destroy(a->state);
    free(a->out);
    free(a->hidden);
    free(a->scratch);
    free(a->end);
    free(a->options.workspace);
}

/* ---------------------------------------------------------------------------------------------------------- equal bits */

/* The whole input in runs of chunk steps; a bidirectional model's is the whole sequence. */
static void check_runs(answer *a, size_t chunk, uint32_t flags)
{
    const size_t width = flags & B2S6_RUN_HIDDEN ? a->d_model : a->width, n_steps = a->s->input.n_steps;
    const float *expected = flags & B2S6_RUN_HIDDEN ? a->hidden : a->out;
    a->options.flags = flags;
    CHECK_OK(b2s6_state_reset(a->state));
    for (size_t k = 0; k < n_steps; k += chunk) {
        const size_t n = n_steps - k < chunk ? n_steps - k : chunk, n_in = whole_rows(&a->s->opened, n);
        const size_t n_out = flags & B2S6_RUN_LAST ? 1 : n_in;
        memset(a->options.workspace, 0xA5, a->options.workspace_size);
        memset(a->scratch, 0xA5, n_out * width * sizeof(float));
        CHECK_OK(run_input(a->state, &a->s->input, k, n, a->scratch, &a->options));
        CHECK_BITS(expected + (a->rows < n_steps ? 0 : k + n_in - n_out) * width, a->scratch, n_out * width);
    }
    CHECK_EQUAL_U64(n_steps, b2s6_state_steps(a->state));
    check_saved(a->end, a->state);
}

static void check_batches(answer *a)
{
    static const size_t list[STREAMS] = { 3, 1, 5, 0, 2, 4 };
    crowd c;
    a->options.flags = 0;
    crowd_make(&c, a->s, STREAMS, 1);
    crowd_batch(&c, list, STREAMS, 0, &a->options);
    crowd_batch(&c, list, STREAMS / 2, 1, &a->options);
    a->options.flags = B2S6_RUN_HIDDEN;
    crowd_batch(&c, list, STREAMS, 0, &a->options);
    crowd_check(&c);
    crowd_free(&c);
}

static void check_all(answer *a)
{
    const size_t n_steps = a->s->input.n_steps;
    check_runs(a, n_steps, 0);
    check_runs(a, n_steps, B2S6_RUN_LAST);
    check_runs(a, n_steps, B2S6_RUN_HIDDEN);
    if (a->s->opened.info.bidirectional)
        return;
    check_runs(a, 1, 0);
    check_runs(a, 5, B2S6_RUN_LAST | B2S6_RUN_HIDDEN);
    check_batches(a);
}

/* Every number of tasks in every order; wide: tasks must have been handed out, as many as there is work for. */
static void check_subject(subject *s, const b2s6_parallel *pool, int wide)
{
    static const size_t n_tasks[] = { 1, 2, 3, 4, 7, 64, MAX_TASKS };
    answer a;
    answer_make(&a, s);
    for (size_t i = 0; i < sizeof n_tasks / sizeof n_tasks[0]; i++)
        for (int order = TASKS_FORWARDS; order < N_TASK_ORDERS; order++) {
            parallel_for h;
            parallel_for_make(&h, n_tasks[i], (task_order)order, pool);
            test_context("%s, %zu tasks, %s of %zu", s->name, n_tasks[i], task_order_names[order], pool->n_tasks);
            a.options.parallel = &h.parallel;
            check_all(&a);
            parallel_for_check(&h);
            if (wide) {
                CHECK(n_tasks[i] == 1 || h.calls > 10);
                CHECK(n_tasks[i] > 4 || n_tasks[i] == 1 || h.largest == n_tasks[i]);
            }
        }
    answer_free(&a);
}

static void test_wide_models(void)
{
    static const size_t n_threads[N_WIDE] = { 4, 2, 3, 2, 4, 2 };
    for (size_t i = 0; i < N_WIDE; i++) {
        thread_pool *pool = pool_of(n_threads[i]);
        subject s;
        wide_make(&s, i);
        check_subject(&s, thread_pool_parallel(pool), 1);
        subject_free(&s);
        thread_pool_destroy(pool);
    }
}

static void test_all_models(void)
{
    thread_pool *pool = pool_of(2);
    for (size_t k = 0; k < n_subjects(N_RANDOM); k++) {
        subject s;
        subject_make(&s, subject_at(k, N_RANDOM));
        if (s.input.n_steps > 40)
            s.input.n_steps = 40;
        check_subject(&s, thread_pool_parallel(pool), 0);
        subject_free(&s);
    }
    thread_pool_destroy(pool);
}

/* More tasks than there is work for make no more calls than there is; the announced number is reached where there is. */
static void test_as_many_tasks_as_announced(void)
{
    subject s;
    answer a;
    parallel_for h;
    wide_make(&s, 4);
    answer_make(&a, &s);
    parallel_for_make(&h, MAX_TASKS, TASKS_FORWARDS, NULL);
    a.options.parallel = &h.parallel;
    check_runs(&a, 1, 0);
    parallel_for_check(&h);
    CHECK_EQUAL_SIZE(MAX_TASKS, h.largest);
    answer_free(&a);
    subject_free(&s);
}

/* The tasks are the work: leaving one out, in whichever call, is seen in the row or in the state. */
static void test_every_task_counts(void)
{
    subject s;
    answer a;
    parallel_for h;
    size_t n_calls;
    wide_make(&s, 0);
    answer_make(&a, &s);
    parallel_for_make(&h, 4, TASKS_FORWARDS, NULL);
    a.options.parallel = &h.parallel;
    check_runs(&a, s.input.n_steps, 0);
    n_calls = h.calls;
    CHECK(n_calls > 4);
    for (size_t skip = 1; skip <= n_calls; skip++) {
        unsigned char *end;
        int same;
        test_context("without a task of call %zu of %zu", skip, n_calls);
        parallel_for_make(&h, 4, TASKS_FORWARDS, NULL);
        h.skip_call = skip;
        CHECK_OK(b2s6_state_reset(a.state));
        memset(a.options.workspace, 0x3d, a.options.workspace_size);
        memset(a.scratch, 0x3d, a.rows * a.width * sizeof(float));
        CHECK_OK(run_input(a.state, &s.input, 0, s.input.n_steps, a.scratch, &a.options));
        end = saved(a.state);
        same = memcmp(a.out, a.scratch, a.rows * a.width * sizeof(float)) == 0 &&
               memcmp(a.end, end, b2s6_snapshot_size(s.opened.model)) == 0;
        CHECK(!same);
        free(end);
    }
    answer_free(&a);
    subject_free(&s);
}

/* ------------------------------------------------------------------------------------------------------------- refusals */

static void test_refusals(void)
{
    static const size_t wrong[] = { 0, MAX_TASKS + 1, SIZE_MAX, SIZE_MAX / 2 + 1 };
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    crowd c;
    subject s;
    parallel_for h;
    unsigned char *before[3];
    const size_t list[3] = { 0, 1, 2 };
    void (*run)(void *user, size_t n_tasks, void (*task)(void *context, size_t index), void *context);
    parallel_for_make(&h, 4, TASKS_FORWARDS, NULL);
    run = h.parallel.run;
    options.parallel = &h.parallel;
    subject_make_case(&s, "b2s6-s4");
    crowd_make(&c, &s, 3, 1);
    for (size_t i = 0; i < 3; i++)
        before[i] = saved(c.states[i]);
    crowd_gather(&c, list, 3);
    memset(c.out, 0xA5, 3 * c.widest * sizeof(float));
    for (size_t i = 0; i <= sizeof wrong / sizeof wrong[0]; i++) {
        const int no_run = i == sizeof wrong / sizeof wrong[0];
        h.parallel.n_tasks = no_run ? 4 : wrong[i];
        h.parallel.run = no_run ? NULL : run;
        CHECK_STATUS(B2S6_ERROR_ARGUMENT, run_input(c.states[0], &s.input, 0, 3, c.out, &options));
        CHECK_STATUS(B2S6_ERROR_ARGUMENT, run_input(c.states[0], &s.input, 0, 1, c.out, &options));
        CHECK_STATUS(B2S6_ERROR_ARGUMENT, run_input(c.states[0], &s.input, 0, 0, c.out, &options));
        CHECK_STATUS(B2S6_ERROR_ARGUMENT, crowd_call(&c, 3, c.out, &options));
    }
    h.parallel.n_tasks = 4; /* and a call that is wrong in another way does not begin either */
    h.parallel.run = run;
    c.tokens[2] = -1;
    CHECK_STATUS(B2S6_ERROR_TOKEN, crowd_call(&c, 3, c.out, &options));
    CHECK_EQUAL_SIZE(0, h.calls);
    for (size_t i = 0; i < 3 * c.widest * sizeof(float); i++)
        CHECK_EQUAL_INT(0xA5, ((const unsigned char *)c.out)[i]);
    for (size_t i = 0; i < 3; i++) {
        check_saved(before[i], c.states[i]);
        free(before[i]);
    }
    crowd_free(&c);
    subject_free(&s);
}

/* A bidirectional model's run is refused before its state is reset. */
static void test_bidirectional_refusal(void)
{
    subject s;
    answer a;
    parallel_for h;
    subject_make_case(&s, "b2s6-bidirectional-mean");
    answer_make(&a, &s);
    parallel_for_make(&h, 0, TASKS_FORWARDS, NULL);
    a.options.parallel = &h.parallel;
    memset(a.scratch, 0xA5, a.rows * a.width * sizeof(float));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, run_input(a.state, &s.input, 0, s.input.n_steps, a.scratch, &a.options));
    CHECK_EQUAL_SIZE(0, h.calls);
    CHECK_EQUAL_INT(0xA5, ((const unsigned char *)a.scratch)[0]);
    check_saved(a.end, a.state);
    answer_free(&a);
    subject_free(&s);
}

static const test tests[] = {
    TEST(test_wide_models), TEST(test_all_models), TEST(test_as_many_tasks_as_announced),
    TEST(test_every_task_counts), TEST(test_refusals), TEST(test_bidirectional_refusal),
};
const test_suite suite_parallel = TEST_SUITE("parallel", tests);
