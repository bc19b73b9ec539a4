/*
 * test_batch.c - a batch gives every stream the bits that it gets alone, whatever the batch and the workspace; a batch that is
 * refused moves none
 */
#include <stdlib.h>
#include <string.h>

#include "streams.h"
#include "suites.h"

enum { N_RANDOM = 60, LARGEST = 100 };

/* Calls check for every causal subject. */
static void for_each(void (*check)(const subject *))
{
    size_t n = 0;
    for (size_t k = 0; k < n_subjects(N_RANDOM); k++) {
        subject s;
        subject_make(&s, subject_at(k, N_RANDOM));
        if (!s.opened.info.bidirectional) {
            check(&s);
            n++;
        }
        subject_free(&s);
    }
    test_note("%zu models", n);
    CHECK(n > 50);
}

/* 0, 1, 2 ... */
static const size_t *in_order(void)
{
    static size_t list[LARGEST];
    for (size_t i = 0; i < LARGEST; i++)
        list[i] = i;
    return list;
}

/* The first n of a random order of 0 .. total - 1. */
static void draw(size_t *list, size_t n, size_t total, random_source *random)
{
    memcpy(list, in_order(), total * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        const size_t k = i + random_below(random, (uint32_t)(total - i)), kept = list[i];
        list[i] = list[k];
        list[k] = kept;
    }
}

/* ---------------------------------------------------------------------------------------------------------------- sizes */

/* One batch for every workspace, from none to more than can be used; rows, rows before the head, and no rows in turn. */
static void check_workspaces(crowd *c)
{
    const size_t one = b2s6_workspace_size(c->s->opened.model, 1), full = b2s6_workspace_size(c->s->opened.model, c->n);
    const size_t sizes[] = { 0, full, 1, one, one + one / 2, 2 * one + one / 2, full / 2, full - (full != 0), full + 1000 };
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        test_context("%s, %zu streams, workspace %zu of %zu", c->s->name, c->n, sizes[i], full);
        options.workspace_size = sizes[i];
        options.workspace = sizes[i] ? aligned_memory(sizes[i]) : NULL;
        options.flags = i % 2 ? B2S6_RUN_HIDDEN : 0;
        if (sizes[i])
            memset(options.workspace, 0xA5, sizes[i]);
        crowd_batch(c, in_order(), c->n, i % 3 == 2, i == 0 ? NULL : &options);
        free(options.workspace);
    }
    crowd_check(c);
}

static void check_sizes(const subject *s)
{
    static const size_t sizes[] = { 1, 2, 3, 16, 65, LARGEST };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        crowd c;
        crowd_make(&c, s, sizes[i], 1);
        check_workspaces(&c);
        crowd_free(&c);
    }
}

static void test_sizes(void) { for_each(check_sizes); }

/* ---------------------------------------------------------------------------------------------------------- coming, going */

/* What happens to streams between two batches: steps of their own, new beginnings, forks, a journey as a snapshot. */
static void happen(crowd *c, random_source *random)
{
    const size_t i = random_below(random, (uint32_t)c->n), k = random_below(random, (uint32_t)c->n);
    unsigned char *snapshot;
    switch (random_below(random, 5)) {
    case 0:
        crowd_step(c, i);
        break;
    case 1:
        crowd_restart(c, i);
        break;
    case 2:
        CHECK_OK(b2s6_state_copy(c->states[i], c->states[k]));
        CHECK_OK(b2s6_state_copy(c->alone[i], c->alone[k]));
        break;
    case 3:
        snapshot = saved(c->states[k]);
        CHECK_OK(b2s6_state_restore(c->states[i], snapshot, b2s6_snapshot_size(c->s->opened.model)));
        CHECK_OK(b2s6_state_copy(c->alone[i], c->alone[k]));
        free(snapshot);
        break;
    default: /* another state takes over the stream, in other memory */
        b2s6_state_destroy(c->states[i]);
        CHECK_OK(b2s6_state_create(&c->states[i], c->s->opened.model, NULL));
        CHECK_OK(b2s6_state_copy(c->states[i], c->alone[i]));
        break;
    }
}

/* Batches of other streams, in another order, each time. */
static void check_join_and_leave(const subject *s)
{
    enum { STREAMS = 25, ROUNDS = 30 };
    const size_t size = b2s6_workspace_size(s->opened.model, STREAMS);
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    random_source random = { 11 };
    size_t list[STREAMS];
    crowd c;
    crowd_make(&c, s, STREAMS, 0);
    options.workspace = aligned_memory(size);
    for (size_t round = 0; round < ROUNDS; round++) {
        const size_t n = 1 + random_below(&random, STREAMS);
        test_context("%s, round %zu, %zu streams", s->name, round, n);
        draw(list, n, STREAMS, &random);
        options.workspace_size = random_below(&random, (uint32_t)size + 1);
        options.flags = random_below(&random, 2) ? B2S6_RUN_HIDDEN : 0;
        crowd_batch(&c, list, n, random_below(&random, 3) == 0, &options);
        happen(&c, &random);
    }
    crowd_check(&c);
    free(options.workspace);
    crowd_free(&c);
}

static void test_join_and_leave(void) { for_each(check_join_and_leave); }

/* -------------------------------------------------------------------------------------------------------------- refusals */

/* A crowd about to be refused: its snapshots, and rows of 0xA5. */
typedef struct refusal {
    subject s;
    crowd c;
    unsigned char *before[LARGEST];
} refusal;

static void refusal_make(refusal *r, const char *name, size_t n)
{
    subject_make_case(&r->s, name);
    crowd_make(&r->c, &r->s, n, 1);
    for (size_t i = 0; i < n; i++)
        r->before[i] = saved(r->c.states[i]);
    crowd_gather(&r->c, in_order(), n);
    memset(r->c.out, 0xA5, n * r->c.widest * sizeof(float));
}

/* No stream has moved and nothing is written. */
static void check_nothing_happened(const refusal *r)
{
    for (size_t i = 0; i < r->c.n; i++)
        check_saved(r->before[i], r->c.states[i]);
    for (size_t i = 0; i < r->c.n * r->c.widest * sizeof(float); i++)
        CHECK_EQUAL_INT(0xA5, ((const unsigned char *)r->c.out)[i]);
}

/* Afterwards the batch works as if nothing had happened. */
static void refusal_free(refusal *r)
{
    check_nothing_happened(r);
    crowd_batch(&r->c, in_order(), r->c.n, 0, NULL);
    crowd_check(&r->c);
    for (size_t i = 0; i < r->c.n; i++)
        free(r->before[i]);
    crowd_free(&r->c);
    subject_free(&r->s);
}

static void test_missing_arguments(void)
{
    refusal r;
    float feature = 0;
    int32_t token = 0;
    refusal_make(&r, "b2s6-s4", 16);
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_batch_tokens(NULL, 16, r.c.tokens, r.c.out, SIZE_MAX, NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_batch_tokens(r.c.members, 16, NULL, r.c.out, SIZE_MAX, NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_batch_tokens(r.c.members, 0, r.c.tokens, r.c.out, SIZE_MAX, NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_batch_tokens(r.c.members, 0, NULL, NULL, SIZE_MAX, NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_batch_features(r.c.members, 0, &feature, 1, r.c.out, SIZE_MAX, NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_batch_features(r.c.members, 16, NULL, 1, r.c.out, SIZE_MAX, NULL));
    CHECK_STATUS(B2S6_ERROR_INPUT_KIND, b2s6_batch_features(r.c.members, 1, &feature, 1, r.c.out, SIZE_MAX, NULL));
    for (size_t i = 0; i < 16; i++) { /* a hole in the list, wherever it is */
        b2s6_state *kept = r.c.members[i];
        r.c.members[i] = NULL;
        CHECK_STATUS(B2S6_ERROR_ARGUMENT, crowd_call(&r.c, 16, r.c.out, NULL));
        r.c.members[i] = kept;
        check_nothing_happened(&r);
    }
    refusal_free(&r);
    refusal_make(&r, "b2s6-features", 3);
    CHECK_STATUS(B2S6_ERROR_INPUT_KIND, b2s6_batch_tokens(r.c.members, 1, &token, r.c.out, SIZE_MAX, NULL));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_batch_features(r.c.members, 3, NULL, 1, r.c.out, SIZE_MAX, NULL));
    refusal_free(&r);
}

static void test_repeated_states(void)
{
    static const size_t pairs[][2] = { { 0, 1 }, { 0, 99 }, { 98, 99 }, { 17, 64 }, { 96, 97 }, { 1, 0 }, { 99, 0 } };
    refusal r;
    refusal_make(&r, "b2s6-s4", LARGEST);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        b2s6_state *kept = r.c.members[pairs[i][1]];
        test_context("state %zu at %zu too", pairs[i][0], pairs[i][1]);
        r.c.members[pairs[i][1]] = r.c.members[pairs[i][0]];
        CHECK_STATUS(B2S6_ERROR_ARGUMENT, crowd_call(&r.c, LARGEST, r.c.out, NULL));
        r.c.members[pairs[i][1]] = kept;
    }
    check_nothing_happened(&r);
    for (size_t i = 0; i < 3; i++)
        r.c.members[i] = r.c.states[50];
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, crowd_call(&r.c, 3, r.c.out, NULL));
    refusal_free(&r);
}

/* A state of another model, and one of another handle on the same file. */
static void test_foreign_states(void)
{
    refusal r;
    subject other;
    b2s6_model *again;
    b2s6_state *foreign[2];
    subject_make(&other, n_cases);
    refusal_make(&r, "b2s6-s4", 16);
    CHECK_OK(b2s6_model_open_memory(&again, r.s.opened.bytes, r.s.opened.size, NULL, NULL));
    CHECK_OK(b2s6_state_create(&foreign[0], again, NULL));
    CHECK_OK(b2s6_state_create(&foreign[1], other.opened.model, NULL));
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 16; i += 5) {
            b2s6_state *kept = r.c.members[i];
            r.c.members[i] = foreign[k];
            CHECK_STATUS(B2S6_ERROR_MODEL, crowd_call(&r.c, 16, r.c.out, NULL));
            CHECK_EQUAL_U64(0, b2s6_state_steps(foreign[k]));
            r.c.members[i] = kept;
            check_nothing_happened(&r);
        }
    b2s6_state_destroy(foreign[0]);
    b2s6_state_destroy(foreign[1]);
    b2s6_model_close(again);
    subject_free(&other);
    refusal_free(&r);
}

static void test_wrong_input(void)
{
    static const uint32_t wrong_bits[] = { 0x7f800000u, 0xff800000u, 0x7fc00000u, 0xffffffffu, 0x7f800001u };
    refusal r;
    refusal_make(&r, "b2s6-s4", LARGEST);
    for (size_t i = 0; i < LARGEST; i += 33) { /* the last stream's among them */
        const int32_t size = (int32_t)r.s.opened.info.input_size, kept = r.c.tokens[i];
        const int32_t wrong[] = { -1, size, INT32_MIN, INT32_MAX };
        for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
            r.c.tokens[i] = wrong[k];
            CHECK_STATUS(B2S6_ERROR_TOKEN, crowd_call(&r.c, LARGEST, k % 2 ? NULL : r.c.out, NULL));
        }
        r.c.tokens[i] = kept;
    }
    refusal_free(&r);
    refusal_make(&r, "b2s6-features", LARGEST);
    for (size_t i = 0; i < LARGEST; i += 33) {
        float kept = r.c.features[i];
        for (size_t k = 0; k < sizeof wrong_bits / sizeof wrong_bits[0]; k++) {
            memcpy(&r.c.features[i], &wrong_bits[k], sizeof wrong_bits[k]);
            CHECK_STATUS(B2S6_ERROR_VALUE, crowd_call(&r.c, LARGEST, r.c.out, NULL));
        }
        r.c.features[i] = kept;
    }
    refusal_free(&r);
}

static void test_wrong_options(void)
{
    unsigned char *workspace = (unsigned char *)aligned_memory(1 << 16);
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    refusal r;
    refusal_make(&r, "b2s6-s4", 16);
    for (int bit = 0; bit < 32; bit++) {
        options.flags = (uint32_t)1 << bit;
        if (options.flags == B2S6_RUN_HIDDEN)
            continue;
        CHECK_STATUS(B2S6_ERROR_ARGUMENT, crowd_call(&r.c, 16, r.c.out, &options));
        options.flags |= B2S6_RUN_HIDDEN;
        CHECK_STATUS(B2S6_ERROR_ARGUMENT, crowd_call(&r.c, 16, r.c.out, &options));
    }
    options.flags = 0;
    for (size_t shift = 1; shift < B2S6_ALIGNMENT; shift++) {
        options.workspace = workspace + shift;
        options.workspace_size = 1 << 15;
        CHECK_STATUS(B2S6_ERROR_ALIGNMENT, crowd_call(&r.c, 16, r.c.out, &options));
    }
    options.workspace = NULL;
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, crowd_call(&r.c, 16, r.c.out, &options));
    options.workspace_size = 0;
    options.struct_size = sizeof options - 1;
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, crowd_call(&r.c, 16, r.c.out, &options));
    free(workspace);
    refusal_free(&r);
}

static void test_bidirectional(void)
{
    subject s;
    b2s6_state *states[2];
    const int32_t tokens[2] = { 0, 1 };
    float out[64];
    subject_make_case(&s, "b2s6-bidirectional-mean");
    CHECK(s.opened.info.bidirectional && s.opened.info.output_size <= 32);
    memset(out, 0xA5, sizeof out);
    for (size_t i = 0; i < 2; i++)
        CHECK_OK(b2s6_state_create(&states[i], s.opened.model, NULL));
    CHECK_STATUS(B2S6_ERROR_BIDIRECTIONAL, b2s6_batch_tokens(states, 1, tokens, out, SIZE_MAX, NULL));
    CHECK_STATUS(B2S6_ERROR_BIDIRECTIONAL, b2s6_batch_tokens(states, 2, tokens, NULL, SIZE_MAX, NULL));
    for (size_t i = 0; i < sizeof out; i++)
        CHECK_EQUAL_INT(0xA5, ((const unsigned char *)out)[i]);
    for (size_t i = 0; i < 2; i++) {
        CHECK_EQUAL_U64(0, b2s6_state_steps(states[i]));
        b2s6_state_destroy(states[i]);
    }
    subject_free(&s);
}

static const test tests[] = {
    TEST(test_sizes), TEST(test_join_and_leave), TEST(test_missing_arguments), TEST(test_repeated_states),
    TEST(test_foreign_states), TEST(test_wrong_input), TEST(test_wrong_options), TEST(test_bidirectional),
};
const test_suite suite_batch = TEST_SUITE("batch", tests);
