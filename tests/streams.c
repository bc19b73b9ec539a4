/* streams.c - many streams over one model */
#include "streams.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

unsigned char *saved(const b2s6_state *state)
{
    size_t size = b2s6_snapshot_size(b2s6_state_model(state));
    unsigned char *snapshot = (unsigned char *)malloc(size);
    CHECK(snapshot != NULL);
    CHECK_OK(b2s6_state_save(state, snapshot, size));
    return snapshot;
}

void check_saved(const unsigned char *expected, const b2s6_state *state)
{
    unsigned char *snapshot = saved(state);
    CHECK_BYTES(expected, snapshot, b2s6_snapshot_size(b2s6_state_model(state)));
    free(snapshot);
}

void check_same_state(const b2s6_state *expected, const b2s6_state *state)
{
    unsigned char *snapshot = saved(expected);
    CHECK_EQUAL_U64(b2s6_state_steps(expected), b2s6_state_steps(state));
    check_saved(snapshot, state);
    free(snapshot);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    CHECK(memory != NULL);
    return memory;
}

void crowd_make(crowd *c, const subject *s, size_t n, int spread)
{
    const b2s6_model_info *info = &s->opened.info;
    c->s = s;
    c->n = n;
    c->widest = info->output_size > info->d_model ? info->output_size : info->d_model;
    c->states = (b2s6_state **)allocate(n, sizeof(b2s6_state *));
    c->alone = (b2s6_state **)allocate(n, sizeof(b2s6_state *));
    c->members = (b2s6_state **)allocate(n, sizeof(b2s6_state *));
    c->at = (size_t *)allocate(n, sizeof(size_t));
    c->tokens = (int32_t *)allocate(n, sizeof(int32_t));
    c->features = (float *)allocate(n * info->input_size, sizeof(float));
    c->out = (float *)allocate((n + 2) * c->widest, sizeof(float));
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(b2s6_state_create(&c->states[i], s->opened.model, NULL));
        CHECK_OK(b2s6_state_create(&c->alone[i], s->opened.model, NULL));
        for (size_t k = 0; spread && k < 7 * i % 31; k++)
            crowd_step(c, i);
    }
}

void crowd_free(crowd *c)
{
    for (size_t i = 0; i < c->n; i++) {
        b2s6_state_destroy(c->states[i]);
        b2s6_state_destroy(c->alone[i]);
    }
    free(c->states);
    free(c->alone);
    free(c->members);
    free(c->at);
    free(c->tokens);
    free(c->features);
    free(c->out);
}

/* Which step of the subject's input stream i reads next. */
static size_t next_of(const crowd *c, size_t i)
{
    return (13 * i + c->at[i]) % c->s->input.n_steps;
}

void crowd_step(crowd *c, size_t i)
{
    CHECK_OK(step_input(c->states[i], &c->s->input, next_of(c, i), NULL));
    CHECK_OK(step_input(c->alone[i], &c->s->input, next_of(c, i), NULL));
    c->at[i]++;
}

void crowd_restart(crowd *c, size_t i)
{
    CHECK_OK(b2s6_state_reset(c->states[i]));
    CHECK_OK(b2s6_state_reset(c->alone[i]));
    c->at[i] = 0;
}

void crowd_gather(crowd *c, const size_t *list, size_t n)
{
    const size_t width = c->s->opened.info.input_size;
    for (size_t i = 0; i < n; i++) {
        const size_t k = next_of(c, list[i]);
        c->members[i] = c->states[list[i]];
        if (c->s->opened.info.input_kind == B2S6_TOKENS)
            c->tokens[i] = c->s->input.tokens[k];
        else
            memcpy(c->features + i * width, c->s->input.features + k * width, width * sizeof(float));
    }
}

b2s6_status crowd_call(crowd *c, size_t n, float *out, const b2s6_run_options *options)
{
    const size_t room = n * whole_width(&c->s->opened, options ? options->flags & B2S6_RUN_HIDDEN : 0);
    if (c->s->opened.info.input_kind == B2S6_TOKENS)
        return b2s6_batch_tokens(c->members, n, c->tokens, out, room, options);
    return b2s6_batch_features(c->members, n, c->features, c->s->opened.info.input_size, out, room, options);
}

void crowd_batch(crowd *c, const size_t *list, size_t n, int silent, const b2s6_run_options *options)
{
    const uint32_t flags = options ? options->flags : 0;
    const size_t width = whole_width(&c->s->opened, flags);
    b2s6_run_options one = B2S6_RUN_OPTIONS;
    float *expected = c->out + (n + 1) * width; /* behind the rows and a row that stays as it is */
    one.flags = flags;
    crowd_gather(c, list, n);
    memset(c->out, 0xA5, (n + 1) * width * sizeof(float));
    CHECK_OK(crowd_call(c, n, silent ? NULL : c->out, options));
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(run_input(c->alone[list[i]], &c->s->input, next_of(c, list[i]), 1, expected, &one));
        if (!silent)
            CHECK_BITS(expected, c->out + i * width, width);
        c->at[list[i]]++;
    }
    memset(expected, 0xA5, width * sizeof(float));
    CHECK_BYTES(expected, c->out + (silent ? 0 : n) * width, width * sizeof(float));
}

void crowd_check(const crowd *c)
{
    for (size_t i = 0; i < c->n; i++)
        check_same_state(c->alone[i], c->states[i]);
}
