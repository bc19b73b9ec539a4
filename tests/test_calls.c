/*
 * test_calls.c - wrong arguments to every call: a status, nothing touched, and the stream goes on as if nothing had happened
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "subjects.h"
#include "suites.h"

/* A pointer that is not NULL, for handles that a failing call must set to NULL. */
static void *stale(void)
{
    static char place;
    return &place;
}

static void test_null_model_calls(void)
{
    subject s;
    b2s6_model *model;
    b2s6_error error;
    b2s6_model_info info;
    const char *value = "untouched";
    size_t size = 77;
    void *memory = aligned_memory(1 << 16);
    const void *data;
    subject_make(&s, 0);
    data = s.opened.bytes;

    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_model_open_memory(NULL, data, s.opened.size, NULL, &error));
    CHECK_EQUAL_INT(B2S6_ERROR_ARGUMENT, error.status);
    model = (b2s6_model *)stale();
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_model_open_memory(&model, NULL, s.opened.size, NULL, &error));
    CHECK(model == NULL && error.status == B2S6_ERROR_ARGUMENT);
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_model_open_memory(&model, NULL, 0, NULL, NULL));

    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_model_open_file(NULL, "x", NULL, &error));
    model = (b2s6_model *)stale();
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_model_open_file(&model, NULL, NULL, &error));
    CHECK(model == NULL && error.status == B2S6_ERROR_ARGUMENT);

    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_model_size(NULL, data, s.opened.size, &error));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_model_size(&size, NULL, s.opened.size, &error));
    CHECK_EQUAL_SIZE(77, size);

    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_model_place(NULL, memory, 1 << 16, data, s.opened.size, NULL, &error));
    model = (b2s6_model *)stale();
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_model_place(&model, NULL, 1 << 16, data, s.opened.size, NULL, &error));
    CHECK(model == NULL && error.status == B2S6_ERROR_ARGUMENT);
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_model_place(&model, memory, 1 << 16, NULL, s.opened.size, NULL, NULL));

    info.struct_size = sizeof info;
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_model_describe(NULL, &info));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_model_describe(s.opened.model, NULL));
    CHECK(b2s6_model_metadata(NULL, "source") == NULL);
    CHECK(b2s6_model_metadata(s.opened.model, NULL) == NULL);
    CHECK(b2s6_model_metadata_at(NULL, 0, &value) == NULL);
    CHECK_STRING("untouched", value);
    b2s6_model_close(NULL);
    free(memory);
    subject_free(&s);
}

static void test_null_state_calls(void)
{
    subject s;
    b2s6_state *state, *other;
    const int32_t token = 1;
    const float feature = 1;
    float out[64];
    void *memory;
    subject_make(&s, 0); /* tokens */
    memory = aligned_memory(b2s6_state_size(s.opened.model));
    CHECK_EQUAL_SIZE(0, b2s6_state_size(NULL));
    CHECK_EQUAL_SIZE(0, b2s6_workspace_size(NULL, 10));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_create(NULL, s.opened.model, NULL));
    state = (b2s6_state *)stale();
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_create(&state, NULL, NULL));
    CHECK(state == NULL);
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_place(NULL, s.opened.model, memory, b2s6_state_size(s.opened.model)));
    state = (b2s6_state *)stale();
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_place(&state, NULL, memory, 1 << 16));
    CHECK(state == NULL);
    state = (b2s6_state *)stale();
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_place(&state, s.opened.model, NULL, b2s6_state_size(s.opened.model)));
    CHECK(state == NULL);
    CHECK_OK(b2s6_state_create(&other, s.opened.model, NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_reset(NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_copy(NULL, other));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_copy(other, NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_copy(NULL, NULL));
    CHECK(b2s6_state_model(NULL) == NULL);
    CHECK(b2s6_state_model(other) == s.opened.model);
    CHECK_EQUAL_U64(0, b2s6_state_steps(NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_step_token(NULL, 0, out, SIZE_MAX));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_step_features(NULL, &feature, 1, out, SIZE_MAX));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_run_tokens(NULL, &token, 1, out, SIZE_MAX, NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_run_features(NULL, &feature, 1, 1, out, SIZE_MAX, NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_run_tokens(other, NULL, 1, out, SIZE_MAX, NULL));
    b2s6_state_destroy(NULL);
    b2s6_state_destroy(other);
    free(memory);
    subject_free(&s);
}

/* Alignments and sizes of the memory for handles that are not enough, one byte less included. */
static void test_wrong_memory(void)
{
    subject s;
    b2s6_model *model;
    b2s6_state *state;
    b2s6_error error;
    size_t model_size, state_size;
    unsigned char *memory = (unsigned char *)aligned_memory(1 << 20);
    subject_make(&s, 0);
    CHECK_OK(b2s6_model_size(&model_size, s.opened.bytes, s.opened.size, NULL));
    state_size = b2s6_state_size(s.opened.model);
    CHECK(model_size + 64 < 1 << 20 && state_size + 64 < 1 << 20);
    memset(memory, 0xA5, 1 << 20);
    for (size_t shift = 1; shift < B2S6_ALIGNMENT; shift++) {
        CHECK_STATUS(B2S6_ERROR_ALIGNMENT,
                     b2s6_model_place(&model, memory + shift, 1 << 19, s.opened.bytes, s.opened.size, NULL, &error));
        CHECK(model == NULL && error.status == B2S6_ERROR_ALIGNMENT);
        CHECK_STATUS(B2S6_ERROR_ALIGNMENT, b2s6_state_place(&state, s.opened.model, memory + shift, 1 << 19));
        CHECK(state == NULL);
    }
    for (size_t size = 0; size < model_size; size += 1 + size / 7) {
        CHECK_STATUS(B2S6_ERROR_SIZE, b2s6_model_place(&model, memory, size, s.opened.bytes, s.opened.size, NULL, &error));
        CHECK(model == NULL && error.status == B2S6_ERROR_SIZE);
    }
    CHECK_STATUS(B2S6_ERROR_SIZE, b2s6_model_place(&model, memory, model_size - 1, s.opened.bytes, s.opened.size, NULL, NULL));
    for (size_t size = 0; size < state_size; size += 1 + size / 7)
        CHECK_STATUS(B2S6_ERROR_SIZE, b2s6_state_place(&state, s.opened.model, memory, size));
    CHECK_STATUS(B2S6_ERROR_SIZE, b2s6_state_place(&state, s.opened.model, memory, state_size - 1));
    CHECK(state == NULL);
    for (size_t i = 0; i < 1 << 20; i++)
        CHECK_EQUAL_INT(0xA5, memory[i]); /* nothing of it was written */
    free(memory);
    subject_free(&s);
}

/* A model file that does not lie at a multiple of 4. */
static void test_misaligned_file(void)
{
    subject s;
    b2s6_model *model;
    b2s6_error error;
    size_t size = 77;
    unsigned char *copy, *memory = (unsigned char *)aligned_memory(1 << 16);
    subject_make(&s, 0);
    copy = (unsigned char *)aligned_memory(s.opened.size + 8);
    for (size_t shift = 1; shift < 8; shift++) {
        b2s6_status expected = shift == 4 ? B2S6_OK : B2S6_ERROR_ALIGNMENT;
        memcpy(copy + shift, s.opened.bytes, s.opened.size);
        CHECK_STATUS(expected, b2s6_model_open_memory(&model, copy + shift, s.opened.size, NULL, &error));
        CHECK_EQUAL_INT(expected, error.status);
        CHECK((model == NULL) == (shift != 4));
        b2s6_model_close(model);
        CHECK_STATUS(expected, b2s6_model_size(&size, copy + shift, s.opened.size, NULL));
        CHECK_STATUS(expected, b2s6_model_place(&model, memory, 1 << 16, copy + shift, s.opened.size, NULL, NULL));
        b2s6_model_close(model);
    }
    free(copy);
    free(memory);
    subject_free(&s);
}

/* ------------------------------------------------------------------------------------------- a stream that must not move */

/* A stream in flight, its twin, and an output buffer that a failing call must not touch. */
typedef struct flight {
    subject s;
    b2s6_state *state, *twin;
    size_t at, width;
    float out[256], expected[256];
} flight;

static void flight_make(flight *f, size_t i)
{
    subject_make(&f->s, i);
    f->at = f->s.opened.info.bidirectional ? 0 : 3;
    f->width = f->s.opened.info.output_size;
    CHECK_OK(b2s6_state_create(&f->state, f->s.opened.model, NULL));
    CHECK_OK(b2s6_state_create(&f->twin, f->s.opened.model, NULL));
    if (f->at > 0)
        CHECK_OK(run_input(f->state, &f->s.input, 0, f->at, NULL, NULL));
    CHECK_OK(b2s6_state_copy(f->twin, f->state));
    memset(f->out, 0xA5, sizeof f->out);
    memset(f->expected, 0xA5, sizeof f->expected);
}

/* After a failing call: nothing written, no step taken, and the next rows are those of the twin. */
static void flight_check(flight *f)
{
    CHECK_BYTES(f->expected, f->out, sizeof f->out);
    CHECK_EQUAL_U64(f->at, b2s6_state_steps(f->state));
    for (size_t k = 0; k < 2 && f->at > 0; k++) {
        CHECK_OK(step_input(f->twin, &f->s.input, f->at, f->expected));
        CHECK_OK(step_input(f->state, &f->s.input, f->at, f->out));
        CHECK_BITS(f->expected, f->out, f->width);
        f->at++;
        memset(f->out, 0xA5, sizeof f->out);
        memset(f->expected, 0xA5, sizeof f->expected);
    }
}

static void flight_free(flight *f)
{
    b2s6_state_destroy(f->state);
    b2s6_state_destroy(f->twin);
    subject_free(&f->s);
}

/* Case numbers by what they are. */
static size_t case_of(const char *name)
{
    size_t i = 0;
    while (strcmp(case_names[i], name) != 0)
        i++;
    return i;
}

static void test_wrong_tokens(void)
{
    flight f;
    flight_make(&f, case_of("b2s6-s4"));
    {
        const int32_t size = (int32_t)f.s.opened.info.input_size;
        const int32_t wrong[] = { -1, size, size + 1, INT32_MIN, INT32_MAX, INT32_MIN + 1, 0x1000000 };
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            int32_t tokens[5] = { 0, 1, 2, 3, size - 1 };
            test_context("token %d", (int)wrong[i]);
            CHECK_STATUS(B2S6_ERROR_TOKEN, b2s6_step_token(f.state, wrong[i], f.out, SIZE_MAX));
            flight_check(&f);
            CHECK_STATUS(B2S6_ERROR_TOKEN, b2s6_step_token(f.state, wrong[i], NULL, SIZE_MAX));
            flight_check(&f);
            for (size_t k = 0; k < 5; k++) { /* wherever it stands in a run: all input is checked first */
                int32_t kept = tokens[k];
                tokens[k] = wrong[i];
                CHECK_STATUS(B2S6_ERROR_TOKEN, b2s6_run_tokens(f.state, tokens, 5, f.out, SIZE_MAX, NULL));
                tokens[k] = kept;
            }
            flight_check(&f);
        }
    }
    flight_free(&f);
}

static void test_wrong_features(void)
{
    static const float wrong[] = { NAN, INFINITY, -INFINITY };
    flight f;
    flight_make(&f, case_of("b2s6-features"));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        float features[5] = { 0, 1, -1, 3.4e38f, 1e-45f };
        test_context("feature %g", (double)wrong[i]);
        CHECK_STATUS(B2S6_ERROR_VALUE, b2s6_step_features(f.state, &wrong[i], 1, f.out, SIZE_MAX));
        flight_check(&f);
        for (size_t k = 0; k < 5; k++) {
            float kept = features[k];
            features[k] = wrong[i];
            CHECK_STATUS(B2S6_ERROR_VALUE, b2s6_run_features(f.state, features, 1, 5, f.out, SIZE_MAX, NULL));
            features[k] = kept;
        }
        flight_check(&f);
    }
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_step_features(f.state, NULL, 1, f.out, SIZE_MAX));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_run_features(f.state, NULL, 1, 2, f.out, SIZE_MAX, NULL));
    flight_check(&f);
    flight_free(&f);
}

static void test_wrong_input_kind(void)
{
    const int32_t token = 0;
    const float feature = 0;
    flight f;
    flight_make(&f, case_of("b2s6-s4"));
    CHECK_STATUS(B2S6_ERROR_INPUT_KIND, b2s6_step_features(f.state, &feature, 1, f.out, SIZE_MAX));
    CHECK_STATUS(B2S6_ERROR_INPUT_KIND, b2s6_run_features(f.state, &feature, 1, 1, f.out, SIZE_MAX, NULL));
    flight_check(&f);
    flight_free(&f);
    flight_make(&f, case_of("b2s6-features"));
    CHECK_STATUS(B2S6_ERROR_INPUT_KIND, b2s6_step_token(f.state, 0, f.out, SIZE_MAX));
    CHECK_STATUS(B2S6_ERROR_INPUT_KIND, b2s6_run_tokens(f.state, &token, 1, f.out, SIZE_MAX, NULL));
    flight_check(&f);
    flight_free(&f);
}

static void test_wrong_run_options(void)
{
    unsigned char *workspace = (unsigned char *)aligned_memory(1 << 16);
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    flight f;
    flight_make(&f, case_of("b2s6-s4"));
    for (int bit = 2; bit < 32; bit++) {
        options.flags = (uint32_t)1 << bit | (bit & 1 ? B2S6_RUN_LAST : 0);
        CHECK_STATUS(B2S6_ERROR_ARGUMENT, run_input(f.state, &f.s.input, f.at, 2, f.out, &options));
    }
    flight_check(&f);
    options.flags = 0;
    for (size_t shift = 1; shift < B2S6_ALIGNMENT; shift++) {
        options.workspace = workspace + shift;
        options.workspace_size = 1 << 15;
        CHECK_STATUS(B2S6_ERROR_ALIGNMENT, run_input(f.state, &f.s.input, f.at, 2, f.out, &options));
    }
    flight_check(&f);
    options.workspace = NULL; /* bytes of nothing */
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, run_input(f.state, &f.s.input, f.at, 2, f.out, &options));
    flight_check(&f);
    free(workspace);
    flight_free(&f);
}

/* A bidirectional model: no steps, no run without enough workspace, and a failing run leaves the last answer's place alone. */
static void test_bidirectional_refuses(void)
{
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    const float feature = 0;
    size_t need;
    unsigned char *workspace;
    flight f;
    flight_make(&f, case_of("b2s6-bidirectional-mean"));
    need = b2s6_workspace_size(f.s.opened.model, f.s.input.n_steps);
    workspace = (unsigned char *)aligned_memory(need + 64);
    CHECK_STATUS(B2S6_ERROR_BIDIRECTIONAL, b2s6_step_token(f.state, 0, f.out, SIZE_MAX));
    CHECK_STATUS(B2S6_ERROR_BIDIRECTIONAL, b2s6_step_token(f.state, 0, NULL, SIZE_MAX));
    CHECK_STATUS(B2S6_ERROR_INPUT_KIND, b2s6_step_features(f.state, &feature, 1, f.out, SIZE_MAX));
    CHECK_STATUS(B2S6_ERROR_SIZE, run_input(f.state, &f.s.input, 0, f.s.input.n_steps, f.out, NULL));
    options.workspace = workspace;
    options.workspace_size = need - 1;
    CHECK_STATUS(B2S6_ERROR_SIZE, run_input(f.state, &f.s.input, 0, f.s.input.n_steps, f.out, &options));
    options.workspace_size = need;
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, run_input(f.state, &f.s.input, 0, 0, f.out, &options));
    options.workspace = workspace + 4;
    CHECK_STATUS(B2S6_ERROR_ALIGNMENT, run_input(f.state, &f.s.input, 0, f.s.input.n_steps, f.out, &options));
    f.s.input.tokens[f.s.input.n_steps - 1] = -1;
    options.workspace = workspace;
    CHECK_STATUS(B2S6_ERROR_TOKEN, run_input(f.state, &f.s.input, 0, f.s.input.n_steps, f.out, &options));
    flight_check(&f);
    free(workspace);
    flight_free(&f);
}

/* States of other models, also of another handle on the same file, cannot be copied. */
static void test_copy_between_models(void)
{
    flight f;
    b2s6_model *again;
    b2s6_state *state;
    subject other;
    flight_make(&f, case_of("b2s6-s4"));
    subject_make(&other, case_of("s6"));
    CHECK_OK(b2s6_model_open_memory(&again, f.s.opened.bytes, f.s.opened.size, NULL, NULL));
    CHECK_OK(b2s6_state_create(&state, again, NULL));
    CHECK_STATUS(B2S6_ERROR_MODEL, b2s6_state_copy(f.state, state));
    CHECK_STATUS(B2S6_ERROR_MODEL, b2s6_state_copy(state, f.state));
    flight_check(&f);
    CHECK_EQUAL_U64(0, b2s6_state_steps(state));
    b2s6_state_destroy(state);
    b2s6_model_close(again);
    CHECK_OK(b2s6_state_create(&state, other.opened.model, NULL));
    CHECK_STATUS(B2S6_ERROR_MODEL, b2s6_state_copy(f.state, state));
    flight_check(&f);
    b2s6_state_destroy(state);
    subject_free(&other);
    flight_free(&f);
}

/* Sequences that no memory holds. */
static void test_impossible_sizes(void)
{
    float feature = 0;
    subject s;
    b2s6_state *state;
    flight f;
    subject_make(&s, case_of("b2s6-bidirectional-mean"));
    CHECK_EQUAL_SIZE(SIZE_MAX, b2s6_workspace_size(s.opened.model, SIZE_MAX));
    CHECK_EQUAL_SIZE(SIZE_MAX, b2s6_workspace_size(s.opened.model, SIZE_MAX / 8));
    for (int k = 0; k < 6; k++) /* 64 bytes a step at the least: the products wrap around, to nothing */
        CHECK_EQUAL_SIZE(SIZE_MAX, b2s6_workspace_size(s.opened.model, (SIZE_MAX >> k) / 2 + 1));
    CHECK_OK(b2s6_state_create(&state, s.opened.model, NULL));
    b2s6_state_destroy(state);
    subject_free(&s);
    flight_make(&f, case_of("b2s6-features"));
    CHECK(b2s6_workspace_size(f.s.opened.model, SIZE_MAX) != SIZE_MAX); /* causal: works in chunks */
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_run_features(f.state, &feature, 1, SIZE_MAX, NULL, 0, NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_run_features(f.state, &feature, 1, SIZE_MAX / 2, NULL, 0, NULL));
    flight_check(&f);
    flight_free(&f);
}

/* One float too little, in every call and for every kind of row: nothing moves, nothing is written. */
static void test_room_for_output(void)
{
    static const uint32_t flags[] = { 0, B2S6_RUN_LAST, B2S6_RUN_HIDDEN, B2S6_RUN_LAST | B2S6_RUN_HIDDEN };
    enum { STEPS = 3 };
    flight f;
    flight_make(&f, case_of("b2s6-s4"));
    const b2s6_model_info *info = &f.s.opened.info;
    CHECK(info->output_size != info->d_model);
    CHECK_STATUS(B2S6_ERROR_SIZE, b2s6_step_token(f.state, 1, f.out, info->output_size - 1));
    CHECK_STATUS(B2S6_ERROR_SIZE, b2s6_step_token(f.state, 1, f.out, 0));
    flight_check(&f);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        const size_t width = flags[i] & B2S6_RUN_HIDDEN ? info->d_model : info->output_size;
        const size_t rows = flags[i] & B2S6_RUN_LAST ? 1 : STEPS;
        b2s6_run_options options = B2S6_RUN_OPTIONS;
        options.flags = flags[i];
        test_context("flags %u", (unsigned)flags[i]);
        for (size_t room = 0; room < rows * width; room++)
            CHECK_STATUS(B2S6_ERROR_SIZE, b2s6_run_tokens(f.state, f.s.input.tokens, STEPS, f.out, room, &options));
        flight_check(&f);
        if (!(flags[i] & B2S6_RUN_LAST))
            CHECK_STATUS(B2S6_ERROR_SIZE, b2s6_batch_tokens(&f.state, 1, f.s.input.tokens, f.out, width - 1, &options));
        flight_check(&f);
    }
    flight_free(&f);
}

/* A width of features that is not the model's. */
static void test_wrong_width(void)
{
    const float features[4] = { 0 };
    flight f;
    flight_make(&f, case_of("b2s6-features"));
    for (size_t n = 0; n < 5; n++) {
        if (n == f.s.opened.info.input_size)
            continue;
        CHECK_STATUS(B2S6_ERROR_INPUT_KIND, b2s6_step_features(f.state, features, n, f.out, SIZE_MAX));
        CHECK_STATUS(B2S6_ERROR_INPUT_KIND, b2s6_run_features(f.state, features, n, 1, f.out, SIZE_MAX, NULL));
        CHECK_STATUS(B2S6_ERROR_INPUT_KIND, b2s6_batch_features(&f.state, 1, features, n, f.out, SIZE_MAX, NULL));
    }
    flight_check(&f);
    flight_free(&f);
}

/* The host's pointer stays through everything that changes the stream. */
static void test_user_pointer(void)
{
    int mine, other;
    flight f;
    unsigned char *snapshot;
    flight_make(&f, case_of("b2s6-s4"));
    CHECK(b2s6_state_user(f.state) == NULL && b2s6_state_user(NULL) == NULL);
    b2s6_state_set_user(NULL, &mine);
    b2s6_state_set_user(f.state, &mine);
    b2s6_state_set_user(f.twin, &other);
    snapshot = (unsigned char *)malloc(b2s6_snapshot_size(f.s.opened.model));
    CHECK_OK(b2s6_state_save(f.twin, snapshot, b2s6_snapshot_size(f.s.opened.model)));
    CHECK_OK(b2s6_state_copy(f.state, f.twin));
    CHECK_OK(b2s6_state_restore(f.state, snapshot, b2s6_snapshot_size(f.s.opened.model)));
    CHECK(b2s6_state_user(f.state) == &mine && b2s6_state_user(f.twin) == &other);
    flight_check(&f);
    CHECK_OK(b2s6_state_reset(f.state));
    CHECK(b2s6_state_user(f.state) == &mine);
    free(snapshot);
    flight_free(&f);
}

/* What an observer is told of each product: where the matrix is, and rows of its width. */
typedef struct sightings {
    const b2s6_model_info *info;
    size_t n, n_rows, heads, encoders;
    uint32_t last_section;
    int fault;
} sightings;

static void see(void *user, uint32_t section, uint32_t role, const float *rows, size_t n_rows, size_t width, size_t stride)
{
    sightings *s = (sightings *)user;
    double sum = 0;
    for (size_t r = 0; r < n_rows; r++)
        for (size_t i = 0; i < width; i++)
            sum += rows[r * stride + i];
    s->fault |= !isfinite(sum) || n_rows != s->n_rows || width == 0 || stride < width || role == 0;
    s->fault |= section < s->last_section || section > s->info->n_layers + 1;
    s->last_section = section;
    s->heads += section == s->info->n_layers + 1;
    s->encoders += section == 0;
    s->n++;
}

static void test_observer(void)
{
    static const char *const names[] = { "b2s6-s4", "b2s6-mamba", "b2s6-features", "s6" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        b2s6_run_options options = B2S6_RUN_OPTIONS;
        b2s6_observer observer = { NULL, see };
        sightings s;
        flight f;
        test_context("%s", names[i]);
        flight_make(&f, case_of(names[i]));
        memset(&s, 0, sizeof s);
        s.info = &f.s.opened.info;
        s.n_rows = 4;
        observer.user = &s;
        options.observer = &observer;
        options.workspace_size = b2s6_workspace_size(f.s.opened.model, 4);
        options.workspace = aligned_memory(options.workspace_size);
        float *out = (float *)malloc(4 * s.info->output_size * sizeof *out);
        CHECK_OK(run_input(f.state, &f.s.input, f.at, 4, out, &options));
        CHECK(!s.fault && s.n >= 2 * s.info->n_layers && s.heads == (s.info->head_size != 0));
        CHECK_EQUAL_SIZE(s.info->input_kind == B2S6_FEATURES, s.encoders);
        CHECK_OK(run_input(f.twin, &f.s.input, f.at, 4, NULL, NULL)); /* looking changes nothing */
        f.at += 4;
        flight_check(&f);
        observer.see = NULL;
        CHECK_STATUS(B2S6_ERROR_ARGUMENT, run_input(f.state, &f.s.input, f.at, 1, out, &options));
        flight_check(&f);
        free(out);
        free(options.workspace);
        flight_free(&f);
    }
}

/* This build, made for tests, has all parts. */
static void test_parts(void)
{
    const uint32_t all = B2S6_PART_FILES | B2S6_PART_MALLOC | B2S6_PART_MESSAGES | B2S6_PART_VERIFY | B2S6_PART_S4 |
                         B2S6_PART_MAMBA | B2S6_PART_MAMBA2 | B2S6_PART_MLP | B2S6_PART_BIDIRECTIONAL |
                         B2S6_PART_NORM_LAYER | B2S6_PART_NORM_RMS |
                         B2S6_PART_DELTA_LOWRANK | B2S6_PART_REAL | B2S6_PART_COMPLEX | B2S6_PART_OTHER_UNITS |
                         B2S6_PART_COMPENSATED | B2S6_PART_F16 | B2S6_PART_Q8 | B2S6_PART_Q4;
    CHECK((b2s6_parts() & ~(uint32_t)B2S6_PART_ISAS) == all);
}

static const test tests[] = {
    TEST(test_room_for_output), TEST(test_wrong_width), TEST(test_user_pointer), TEST(test_observer), TEST(test_parts),
    TEST(test_null_model_calls), TEST(test_null_state_calls), TEST(test_wrong_memory), TEST(test_misaligned_file),
    TEST(test_wrong_tokens), TEST(test_wrong_features), TEST(test_wrong_input_kind), TEST(test_wrong_run_options),
    TEST(test_bidirectional_refuses), TEST(test_copy_between_models), TEST(test_impossible_sizes),
};
const test_suite suite_calls = TEST_SUITE("calls", tests);
