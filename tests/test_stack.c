/*
 * test_stack.c - no call takes more stack than B2S6_STACK_SIZE: every function of b2s6.h, on every kind of block, type and
 * direction and every instruction set of this machine
 *
 * The bound is the header's for builds with optimisation and four times as much for those without. B2S6_TEST_STACK, a number
 * of bytes, says which one it is where library and tests are built apart (tests/stack.sh), or where the level is -O1, which
 * the compiler does not tell.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "model_file.h"
#include "painted.h"
#include "streams.h"
#include "suites.h"

enum { N_RANDOM = 64, N_STREAMS = 5, MOST_STEPS = 70, N_DAMAGES = 4, LONG_INPUT = 8 };

static size_t bound(void)
{
    const char *given = getenv("B2S6_TEST_STACK");
#ifdef __OPTIMIZE__
    const size_t own = B2S6_STACK_SIZE;
#else
    const size_t own = 4 * (size_t)B2S6_STACK_SIZE;
#endif
    return given ? (size_t)strtoul(given, NULL, 10) : own;
}

/* ------------------------------------------------------------------------------------------------------ what is measured */

/* A model on one instruction set, with two streams and what they need. */
typedef struct scene {
    const subject *s;
    b2s6_open_options open;
    b2s6_run_options run;
    b2s6_model *model, *other_model;
    b2s6_state *state, *other, *crowd[N_STREAMS];
    const char *path;
    unsigned char *snapshot, *file; /* file: open_damaged's */
    void *memory, *handle;          /* for a placed state and a placed model */
    size_t memory_size, handle_size, snapshot_size, width;
    float *out;
    b2s6_status status;
} scene;

static void open_memory(void *p)
{
    scene *c = (scene *)p;
    c->status = b2s6_model_open_memory(&c->other_model, c->s->opened.bytes, c->s->opened.size, &c->open, NULL);
}

static void open_file(void *p)
{
    scene *c = (scene *)p;
    c->status = b2s6_model_open_file(&c->other_model, c->path, &c->open, NULL);
}

static void close_other(void *p) { b2s6_model_close(((scene *)p)->other_model); }

static void model_size(void *p)
{
    scene *c = (scene *)p;
    c->status = b2s6_model_size(&c->handle_size, c->s->opened.bytes, c->s->opened.size, NULL);
}

static void model_place(void *p)
{
    scene *c = (scene *)p;
    c->status = b2s6_model_place(&c->other_model, c->handle, c->handle_size, c->s->opened.bytes, c->s->opened.size, &c->open, NULL);
}

/* Whatever was damaged, it is refused with words, or opened. */
static void open_damaged(void *p)
{
    scene *c = (scene *)p;
    b2s6_error error;
    if (b2s6_model_open_memory(&c->other_model, c->file, c->s->opened.size, &c->open, &error) == B2S6_OK)
        b2s6_model_close(c->other_model);
}

static void describe(void *p)
{
    scene *c = (scene *)p;
    b2s6_model_info info;
    b2s6_layer_info layer;
    info.struct_size = sizeof info;
    layer.struct_size = sizeof layer;
    c->status = b2s6_model_describe(c->model, &info);
    if (c->status == B2S6_OK)
        c->status = b2s6_layer_describe(c->model, 0, &layer);
    b2s6_model_metadata(c->model, "source");
    b2s6_model_metadata_at(c->model, 0, NULL);
    b2s6_model_entry(c->model, "tokenizer", NULL);
    b2s6_model_entry_at(c->model, 0, NULL, NULL);
}

static void sizes(void *p)
{
    scene *c = (scene *)p;
    c->memory_size = b2s6_state_size(c->model);
    c->snapshot_size = b2s6_snapshot_size(c->model);
    c->run.workspace_size = b2s6_workspace_size(c->model, c->s->input.n_steps);
}

static void state_create(void *p)
{
    scene *c = (scene *)p;
    b2s6_state *state;
    c->status = b2s6_state_create(&state, c->model, NULL);
    b2s6_state_destroy(state);
}

static void state_place(void *p)
{
    scene *c = (scene *)p;
    b2s6_state *state;
    c->status = b2s6_state_place(&state, c->model, c->memory, c->memory_size);
}

static void reset(void *p) { scene *c = (scene *)p; c->status = b2s6_state_reset(c->state); }
static void copy(void *p) { scene *c = (scene *)p; c->status = b2s6_state_copy(c->other, c->state); }
static void save(void *p) { scene *c = (scene *)p; c->status = b2s6_state_save(c->state, c->snapshot, c->snapshot_size); }
static void restore(void *p) { scene *c = (scene *)p; c->status = b2s6_state_restore(c->other, c->snapshot, c->snapshot_size); }

static void restore_damaged(void *p)
{
    scene *c = (scene *)p;
    c->snapshot[c->snapshot_size / 2] ^= 1;
    c->status = b2s6_state_restore(c->other, c->snapshot, c->snapshot_size) == B2S6_OK ? B2S6_ERROR_SNAPSHOT : B2S6_OK;
    c->snapshot[c->snapshot_size / 2] ^= 1;
}

static void step(void *p)
{
    scene *c = (scene *)p;
    c->status = step_input(c->state, &c->s->input, 0, c->out);
    if (c->status == B2S6_OK)
        c->status = step_input(c->state, &c->s->input, 0, NULL);
}

static void run(void *p)
{
    scene *c = (scene *)p;
    c->status = run_input(c->state, &c->s->input, 0, c->s->input.n_steps, c->out, &c->run);
}

static void batch(void *p)
{
    scene *c = (scene *)p;
    const model_input *in = &c->s->input;
    const size_t width = c->s->opened.info.input_size, room = N_STREAMS * c->width;
    int32_t tokens[N_STREAMS];
    if (c->s->opened.info.input_kind == B2S6_FEATURES) { /* as many streams as there are rows of input */
        c->status = b2s6_batch_features(c->crowd, in->n_steps < N_STREAMS ? in->n_steps : N_STREAMS, in->features, width, c->out, room,
                                        &c->run);
        return;
    }
    for (size_t i = 0; i < N_STREAMS; i++)
        tokens[i] = in->tokens[i % in->n_steps];
    c->status = b2s6_batch_tokens(c->crowd, N_STREAMS, tokens, c->out, room, &c->run);
}

/* ------------------------------------------------------------------------------------------------------------ the figures */

/* The most so far on one instruction set, and what took it. */
typedef struct most {
    size_t bytes;
    char what[160];
} most;

static void take(most *m, const char *call, void (*function)(void *), scene *c)
{
    size_t taken;
    c->status = B2S6_OK;
    test_context("%s of %s %s on %s", call, subject_type, c->s->name, c->open.isa);
    taken = stack_taken(function, c);
    CHECK_OK(c->status);
    if (taken > m->bytes) {
        m->bytes = taken;
        snprintf(m->what, sizeof m->what, "%s of %s %s", call, subject_type, c->s->name);
    }
    if (taken > bound())
        test_note("%zu bytes", taken);
    CHECK(taken <= bound());
}

static void take_damaged(most *m, scene *c, random_source *random)
{
    const size_t header = (size_t)get_le(c->s->opened.bytes + AT_HEADER_BYTES, 4);
    c->file = (unsigned char *)aligned_memory(c->s->opened.size);
    for (int i = 0; i < N_DAMAGES; i++) {
        size_t at = random_below(random, (uint32_t)(i % 2 ? header : c->s->opened.size));
        memcpy(c->file, c->s->opened.bytes, c->s->opened.size);
        c->file[at] = (unsigned char)(c->file[at] ^ (1 + random_below(random, 255)));
        file_seal(c->file, c->s->opened.size);
        take(m, "opening a damaged file", open_damaged, c);
    }
    free(c->file);
}

static void take_opening(most *m, scene *c)
{
    take(m, "b2s6_model_open_memory", open_memory, c);
    take(m, "b2s6_model_close", close_other, c);
    take(m, "b2s6_model_size", model_size, c);
    c->handle = aligned_memory(c->handle_size);
    take(m, "b2s6_model_place", model_place, c);
    b2s6_model_close(c->other_model);
    free(c->handle);
    if (c->path) {
        take(m, "b2s6_model_open_file", open_file, c);
        take(m, "b2s6_model_close", close_other, c);
    }
    take(m, "describing", describe, c);
    take(m, "asking for sizes", sizes, c);
}

static void take_state(most *m, scene *c)
{
    c->memory = aligned_memory(c->memory_size);
    c->snapshot = (unsigned char *)malloc(c->snapshot_size);
    CHECK(c->snapshot != NULL);
    take(m, "b2s6_state_create", state_create, c);
    take(m, "b2s6_state_place", state_place, c);
    take(m, "b2s6_state_save", save, c);
    take(m, "b2s6_state_restore", restore, c);
    take(m, "restoring a damaged snapshot", restore_damaged, c);
    take(m, "b2s6_state_copy", copy, c);
    take(m, "b2s6_state_reset", reset, c);
    free(c->snapshot);
    free(c->memory);
}

static void in_turn(void *user, size_t n_tasks, void (*task)(void *context, size_t index), void *context)
{
    (void)user;
    for (size_t i = 0; i < n_tasks; i++)
        task(context, i);
}

static void look(void *user, uint32_t section, uint32_t role, const float *rows, size_t n_rows, size_t width, size_t stride)
{
    (void)user, (void)section, (void)role, (void)rows, (void)n_rows, (void)width, (void)stride;
}

static void take_rows(most *m, scene *c)
{
    static const b2s6_parallel parallel = { NULL, 3, 1, in_turn };
    static const b2s6_observer observer = { NULL, look };
    const int bidirectional = (int)c->s->opened.info.bidirectional;
    const size_t workspace_size = c->run.workspace_size;
    if (!bidirectional)
        take(m, "a step", step, c);
    for (int way = 0; way < 5; way++) { /* the last has no workspace: the rows go one by one */
        if (way == 4 && bidirectional)
            continue;
        c->run.workspace = way == 4 ? NULL : aligned_memory(workspace_size);
        c->run.workspace_size = way == 4 ? 0 : workspace_size;
        c->run.flags = way == 1 ? B2S6_RUN_LAST | B2S6_RUN_HIDDEN : 0;
        c->run.parallel = way == 2 ? &parallel : NULL;
        c->run.observer = way == 3 ? &observer : NULL;
        take(m, "a run", run, c);
        c->run.flags &= B2S6_RUN_HIDDEN;
        if (!bidirectional)
            take(m, "a batch", batch, c);
        free(c->run.workspace);
    }
}

/* All of one subject on one instruction set. path is its file, or NULL. */
static void take_all(most *m, const subject *s, const char *isa, const char *path, random_source *random)
{
    const b2s6_open_options open = B2S6_OPEN_OPTIONS;
    const b2s6_run_options options = B2S6_RUN_OPTIONS;
    const b2s6_model_info *info = &s->opened.info;
    scene c;
    memset(&c, 0, sizeof c);
    c.s = s;
    c.open = open;
    c.open.isa = isa;
    c.open.flags = B2S6_OPEN_VERIFY; /* reads most */
    c.run = options;
    c.path = path;
    c.width = info->output_size > info->d_model ? info->output_size : info->d_model;
    c.out = (float *)malloc((s->input.n_steps + N_STREAMS) * c.width * sizeof *c.out);
    CHECK(c.out != NULL);
    CHECK_OK(b2s6_model_open_memory(&c.model, s->opened.bytes, s->opened.size, &c.open, NULL));
    CHECK_OK(b2s6_state_create(&c.state, c.model, NULL));
    CHECK_OK(b2s6_state_create(&c.other, c.model, NULL));
    for (int i = 0; i < N_STREAMS; i++)
        CHECK_OK(b2s6_state_create(&c.crowd[i], c.model, NULL));
    take_opening(m, &c);
    take_damaged(m, &c, random);
    take_state(m, &c);
    take_rows(m, &c);
    for (int i = 0; i < N_STREAMS; i++)
        b2s6_state_destroy(c.crowd[i]);
    b2s6_state_destroy(c.other);
    b2s6_state_destroy(c.state);
    b2s6_model_close(c.model);
    free(c.out);
}

enum { MOST_ISAS = 16 };

/* One subject on every instruction set that can run: most (MOST_ISAS). */
static void take_everywhere(most *m, const subject *s, const char *path, random_source *random)
{
    for (size_t k = 0; b2s6_isa_name(k) != NULL && k < MOST_ISAS; k++)
        if (b2s6_isa_is_available(k))
            take_all(&m[k], s, b2s6_isa_name(k), path, random);
}

/* The shipped models: matrices of real sizes. */
static void take_shipped(most *m, random_source *random)
{
    static const char *const names[] = { "digits.b2s6", "digits-q8.b2s6", "speech.b2s6", "listops-q8.b2s6", "bytes.b2s6" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char folder[1024], path[1100];
        subject s;
        size_t size;
        unsigned char *bytes;
        snprintf(folder, sizeof folder, "%s/../examples/models", tests_folder);
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        bytes = read_file(folder, names[i], &size);
        CHECK(bytes != NULL);
        subject_make_from(&s, n_cases + LONG_INPUT, bytes, size);
        CHECK(s.input.n_steps >= 33);
        snprintf(s.name, sizeof s.name, "%s", names[i]);
        s.input.n_steps = 33;
        take_everywhere(m, &s, path, random);
        subject_free(&s);
        free(bytes);
    }
}

/* Subjects from number first on: n cases in each type, then n_random random models in turns. */
static void take_subjects(most *m, size_t first, size_t n, size_t n_random, random_source *random)
{
    static const char *const types[] = { "f32", "f16", "q8", "q4" };
    static const char *const states[] = { NULL, "plain", "compensated" };
    for (size_t i = 0; i < 4 * n + n_random; i++) {
        subject s;
        subject_type = types[i % 4];
        subject_states = states[i / 4 % 3];
        subject_make(&s, first + (i < 4 * n ? i / 4 : i - 3 * n));
        if (s.input.n_steps > MOST_STEPS)
            s.input.n_steps = MOST_STEPS;
        take_everywhere(m, &s, NULL, random);
        subject_free(&s);
    }
    subject_type = "f32";
    subject_states = NULL;
}

static void test_stack(void)
{
    most m[MOST_ISAS];
    random_source random = { 8 };
    memset(m, 0, sizeof m);
    if (stack_unmeasured() != NULL) {
        test_note("not run here: %s", stack_unmeasured());
        return;
    }
    take_subjects(m, 0, n_cases, N_RANDOM, &random);
    take_subjects(m, FAMILY, n_family_cases, N_RANDOM / 2, &random);
    take_shipped(m, &random);
    for (size_t k = 0; b2s6_isa_name(k) != NULL; k++) {
        test_context("%s", b2s6_isa_name(k));
        CHECK(k < MOST_ISAS);
        if (b2s6_isa_is_available(k)) {
            test_note("%-12s %6zu bytes, by %s", b2s6_isa_name(k), m[k].bytes, m[k].what);
            CHECK(m[k].bytes > 500); /* something was measured */
        } else {
            test_note("not run here: %s, which this machine or its system does not have", b2s6_isa_name(k));
        }
    }
}

/* ----------------------------------------------------------------------------------------------------------- token models */

typedef struct sampler {
    float logits[1000], out[1000];
    uint32_t scratch[1000];
    int32_t tokens[8];
    uint64_t generator;
    b2s6_status status;
} sampler;

static void sample(void *p)
{
    sampler *c = (sampler *)p;
    b2s6_sampling how = B2S6_SAMPLING;
    how.repetition_penalty = 1.1f;
    how.temperature = 0.8f;
    how.top_k = 50;
    how.top_p = 0.9f;
    how.min_p = 0.01f;
    how.recent = c->tokens;
    how.n_recent = b2s6_top_k(c->logits, 1000, 8, c->tokens);
    c->status = b2s6_log_softmax(c->logits, 1000, c->out);
    if (c->status == B2S6_OK)
        c->status = b2s6_sample(&c->tokens[0], c->logits, 1000, &how, &c->generator, c->scratch);
    b2s6_log_probability(c->logits, 1000, b2s6_argmax(c->logits, 1000));
}

static void test_stack_of_sampling(void)
{
    static sampler c;
    random_source random = { 1 };
    size_t taken;
    for (int i = 0; i < 1000; i++)
        c.logits[i] = random_normal(&random);
    taken = stack_taken(sample, &c);
    CHECK_OK(c.status);
    CHECK(taken <= bound());
    if (stack_unmeasured() == NULL)
        test_note("log_softmax, sample, top_k: %zu bytes", taken);
}

/* The paint itself: a call that is known to take so much is seen to. The index is read at run time: of an array that
 * is only asked for its first byte, clang keeps one byte. */
static void take_known(void *p)
{
    static volatile size_t lowest = 0;
    volatile unsigned char room[10000];
    room[lowest] = 1;
    *(int *)p = room[lowest];
}

static void test_paint(void)
{
    int ran = 0;
    size_t taken = stack_taken(take_known, &ran);
    if (stack_unmeasured() == NULL)
        CHECK(ran == 1 && taken > 9900 && taken < 10600);
}

static const test tests[] = { TEST(test_paint), TEST(test_stack), TEST(test_stack_of_sampling) };
const test_suite suite_stack = TEST_SUITE("stack", tests);
