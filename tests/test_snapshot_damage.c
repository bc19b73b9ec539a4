/*
 * test_snapshot_damage.c - snapshots that are cut, damaged, foreign or forged: refused, and not a byte of the state is touched;
 * and memory that is too small for one
 */
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/support/checksum.h"
#include "mamba2.h"
#include "model_file.h"
#include "streams.h"
#include "suites.h"

enum { AT_SNAPSHOT_CRC = 12, AT_FLOATS = 64 };

/* A state in memory of the test's own, some steps along, and its snapshot. */
typedef struct journey {
    subject s;
    b2s6_state *state;
    unsigned char *memory, *before; /* the state's bytes, and what they were */
    size_t memory_size, size;
    unsigned char *snapshot;        /* (size) of the state five steps earlier; 64 bytes more can be written */
} journey;

static void journey_begin(journey *j)
{
    j->size = b2s6_snapshot_size(j->s.opened.model);
    j->memory_size = b2s6_state_size(j->s.opened.model);
    j->memory = (unsigned char *)aligned_memory(j->memory_size);
    j->before = (unsigned char *)aligned_memory(j->memory_size);
    j->snapshot = (unsigned char *)calloc(j->size + 64, 1);
    CHECK(j->snapshot != NULL);
    memset(j->memory, 0xA5, j->memory_size); /* the whole of it is compared, also what nobody writes */
    CHECK_OK(b2s6_state_place(&j->state, j->s.opened.model, j->memory, j->memory_size));
    for (size_t k = 0; k < 10; k++) {
        if (k == 5)
            CHECK_OK(b2s6_state_save(j->state, j->snapshot, j->size));
        CHECK_OK(step_input(j->state, &j->s.input, k, NULL));
    }
    memcpy(j->before, j->memory, j->memory_size);
}

static void journey_make(journey *j, const char *name)
{
    subject_make_case(&j->s, name);
    journey_begin(j);
}

/* A model with all that a snapshot can hold, convolution windows and a mean, and hardly any of it. */
static void journey_make_small(journey *j)
{
    random_source random = { 3 };
    trained_model model;
    memset(&model, 0, sizeof model);
    memset(&j->s, 0, sizeof j->s);
    plain_config(&model.config, 5, 1, 1);
    model.config.n_layers = 1;
    model.config.block = B2S6_BLOCK_MAMBA;
    model.config.d_conv = 3;
    model.config.pool = B2S6_POOL_MEAN;
    generate_tensors(&model, &random);
    open_trained(&j->s.opened, &model);
    generate_input(&j->s.input, &model.config, 10, &random);
    trained_free(&model);
    journey_begin(j);
    CHECK_EQUAL_SIZE(AT_FLOATS + 4 * 16 * (4 + 2 + 2), j->size);
}

/* The same of mamba2 blocks, windows of u, B and C and compensated states, with MLPs between them, which keep nothing. */
static void journey_make_mamba2(journey *j)
{
    random_source random = { 3 };
    mamba2_model model;
    unsigned char *file;
    size_t size;
    memset(&j->s, 0, sizeof j->s);
    mamba2_generate_small(&model);
    file = mamba2_convert(&model, "f32", "compensated", &size);
    open_bytes(&j->s.opened, file, size);
    generate_input(&j->s.input, &model.tensors.config, 10, &random);
    free(file);
    mamba2_free(&model);
    journey_begin(j);
}

static void check_untouched(const journey *j)
{
    CHECK_BYTES(j->before, j->memory, j->memory_size);
}

/* In the end the snapshot itself is taken up. */
static void journey_end(journey *j)
{
    check_untouched(j);
    CHECK_OK(b2s6_state_restore(j->state, j->snapshot, j->size));
    CHECK_EQUAL_U64(5, b2s6_state_steps(j->state));
    check_saved(j->snapshot, j->state);
    free(j->memory);
    free(j->before);
    free(j->snapshot);
    subject_free(&j->s);
}

/* The right checksum for bytes that were altered. */
static void seal(unsigned char *snapshot, size_t size)
{
    put_le(snapshot + AT_SNAPSHOT_CRC, 0, 4);
    put_le(snapshot + AT_SNAPSHOT_CRC, checksum(0, snapshot, size), 4);
}

/* -------------------------------------------------------------------------------------------------------------- refusals */

/* Cut at every byte: from memory of exactly that size, so that a sanitizer sees what is read beyond it. */
static void check_cut(void (*make)(journey *j))
{
    journey j;
    make(&j);
    for (size_t size = 0; size < j.size; size++) {
        unsigned char *cut = (unsigned char *)malloc(size + (size == 0));
        CHECK(cut != NULL);
        memcpy(cut, j.snapshot, size);
        test_context("%zu of %zu bytes", size, j.size);
        CHECK_STATUS(B2S6_ERROR_SNAPSHOT, b2s6_state_restore(j.state, cut, size));
        check_untouched(&j);
        free(cut);
    }
    for (size_t more = 1; more <= 64; more++) { /* a buffer may be larger than what it holds */
        CHECK_OK(b2s6_state_restore(j.state, j.snapshot, j.size + more));
        check_saved(j.snapshot, j.state);
    }
    memcpy(j.before, j.memory, j.memory_size);
    journey_end(&j);
}

static void test_cut(void)
{
    check_cut(journey_make_small);
    check_cut(journey_make_mamba2);
}

static void check_every_bit(void (*make)(journey *j))
{
    journey j;
    make(&j);
    for (size_t bit = 0; bit < 8 * j.size; bit++) {
        const int in_version = bit / 32 == 2;
        j.snapshot[bit / 8] ^= (unsigned char)(1 << bit % 8);
        test_context("bit %zu of byte %zu", bit % 8, bit / 8);
        CHECK_STATUS(in_version ? B2S6_ERROR_VERSION : B2S6_ERROR_SNAPSHOT, b2s6_state_restore(j.state, j.snapshot, j.size));
        check_untouched(&j);
        j.snapshot[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    journey_end(&j);
}

static void test_every_bit(void)
{
    check_every_bit(journey_make_small);
    check_every_bit(journey_make_mamba2);
}

/* Bytes that are something else altogether. */
static void test_not_snapshots(void)
{
    random_source random = { 9 };
    unsigned char *bytes;
    journey j;
    journey_make_small(&j);
    bytes = (unsigned char *)calloc(j.size, 1);
    CHECK_STATUS(B2S6_ERROR_SNAPSHOT, b2s6_state_restore(j.state, bytes, j.size));
    CHECK_STATUS(B2S6_ERROR_SNAPSHOT, b2s6_state_restore(j.state, j.s.opened.bytes, j.s.opened.size)); /* the model file */
    for (size_t i = 0; i < 1000; i++) {
        for (size_t k = 0; k < j.size; k++)
            bytes[k] = (unsigned char)random_u64(&random);
        CHECK_STATUS(B2S6_ERROR_SNAPSHOT, b2s6_state_restore(j.state, bytes, j.size));
    }
    check_untouched(&j);
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_restore(j.state, NULL, j.size));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_restore(NULL, j.snapshot, j.size));
    free(bytes);
    journey_end(&j);
}

/* Of a model of other shape, and of one with a single weight changed. The same file opened again is the same model. */
static void test_other_models(void)
{
    file_parts parts;
    unsigned char *file, *snapshot;
    size_t size;
    opened_model altered;
    b2s6_state *state;
    b2s6_model *again;
    subject other;
    journey j;
    journey_make(&j, "b2s6-s4");
    subject_make_case(&other, "b2s6-mamba");
    CHECK_OK(b2s6_state_create(&state, other.opened.model, NULL));
    snapshot = saved(state);
    CHECK_STATUS(B2S6_ERROR_MODEL, b2s6_state_restore(j.state, snapshot, b2s6_snapshot_size(other.opened.model)));
    CHECK_STATUS(B2S6_ERROR_MODEL, b2s6_state_restore(state, j.snapshot, j.size));
    CHECK_EQUAL_U64(0, b2s6_state_steps(state));
    check_saved(snapshot, state);
    b2s6_state_destroy(state);
    free(snapshot);
    subject_free(&other);

    file_take_apart(&parts, j.s.opened.bytes);
    parts.tensors[file_find_tensor(&parts, 0, ROLE_EMBEDDING)].data[0] ^= 1;
    file = file_build(&parts, &size);
    open_bytes(&altered, file, size);
    CHECK_EQUAL_SIZE(j.size, b2s6_snapshot_size(altered.model));
    CHECK_OK(b2s6_state_create(&state, altered.model, NULL));
    snapshot = saved(state);
    CHECK_STATUS(B2S6_ERROR_MODEL, b2s6_state_restore(j.state, snapshot, j.size));
    CHECK_STATUS(B2S6_ERROR_MODEL, b2s6_state_restore(state, j.snapshot, j.size));
    check_saved(snapshot, state);
    b2s6_state_destroy(state);
    close_model(&altered);
    free(snapshot);
    free(file);
    file_free(&parts);

    CHECK_OK(b2s6_model_open_memory(&again, j.s.opened.bytes, j.s.opened.size, NULL, NULL));
    CHECK_OK(b2s6_state_create(&state, again, NULL));
    CHECK_OK(b2s6_state_restore(state, j.snapshot, j.size));
    check_saved(j.snapshot, state);
    b2s6_state_destroy(state);
    b2s6_model_close(again);
    journey_end(&j);
}

/* Altered and sealed again: the fields themselves are checked, not only their checksum. */
static void test_forged_fields(void)
{
    static const struct { size_t at, bytes; uint64_t value; b2s6_status status; } fields[] = {
        { 0, 8, 0, B2S6_ERROR_SNAPSHOT },
        { 0, 8, UINT64_C(0x0a1a0a0d36533242), B2S6_ERROR_SNAPSHOT },
        { 8, 4, 0, B2S6_ERROR_VERSION }, { 8, 4, 1, B2S6_ERROR_VERSION }, { 8, 4, 3, B2S6_ERROR_VERSION }, { 8, 4, 0xffffffff, B2S6_ERROR_VERSION },
        { 8, 4, 0x01000000, B2S6_ERROR_VERSION }, /* of the wrong byte order */
        { 16, 8, 0, B2S6_ERROR_MODEL }, { 16, 8, UINT64_MAX, B2S6_ERROR_MODEL },
        { 32, 8, 0, B2S6_ERROR_SNAPSHOT }, { 32, 8, 64, B2S6_ERROR_SNAPSHOT }, { 32, 8, UINT64_MAX, B2S6_ERROR_SNAPSHOT },
        { 40, 4, 1, B2S6_ERROR_VERSION }, { 40, 4, 3, B2S6_ERROR_VERSION }, { 44, 1, 1, B2S6_ERROR_SNAPSHOT }, { 63, 1, 128, B2S6_ERROR_SNAPSHOT }, { 50, 1, 255, B2S6_ERROR_SNAPSHOT },
    };
    unsigned char *forged;
    journey j;
    journey_make_small(&j);
    forged = (unsigned char *)calloc(j.size + 64, 1);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        memcpy(forged, j.snapshot, j.size);
        put_le(forged + fields[i].at, fields[i].value, fields[i].bytes);
        seal(forged, j.size);
        test_context("%zu bytes at %zu", fields[i].bytes, fields[i].at);
        CHECK_STATUS(fields[i].status, b2s6_state_restore(j.state, forged, j.size));
        check_untouched(&j);
    }
    for (size_t size = AT_FLOATS; size <= j.size + 64; size += 4) { /* whole in itself, but not as long as this model's are */
        memset(forged, 0, j.size + 64);
        memcpy(forged, j.snapshot, size < j.size ? size : j.size);
        put_le(forged + 32, size, 8);
        seal(forged, size);
        if (size != j.size)
            CHECK_STATUS(B2S6_ERROR_SNAPSHOT, b2s6_state_restore(j.state, forged, size));
    }
    put_le(j.snapshot + 24, UINT64_MAX, 8); /* any number of steps is one */
    seal(j.snapshot, j.size);
    check_untouched(&j);
    CHECK_OK(b2s6_state_restore(j.state, j.snapshot, j.size));
    CHECK(b2s6_state_steps(j.state) == UINT64_MAX);
    put_le(j.snapshot + 24, 5, 8);
    seal(j.snapshot, j.size);
    memcpy(j.before, j.memory, j.memory_size);
    free(forged);
    journey_end(&j);
}

/* ------------------------------------------------------------------------------------------------------ what floats can be */

/* Every NaN comes back as the one of the format, padding as zero; infinities, denormals and -0 as they are. */
static void test_unusual_floats(void)
{
    static const uint32_t sent[] = {
        0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff, 0x7fa00000, 0x7fffffff, /* not a number */
        0x7f800000, 0xff800000, 1, 0x807fffff, 0x80000000, 0x7f7fffff,
    };
    enum { N = sizeof sent / sizeof sent[0] };
    unsigned char *after;
    journey j;
    float out[64];
    journey_make(&j, "b2s6-s4");
    CHECK(layer_of(&j.s.opened, 0).d_inner >= 16 && j.s.opened.info.output_size <= 64);
    for (size_t i = 0; i < N; i++)
        put_le(j.snapshot + AT_FLOATS + 4 * i, sent[i], 4);
    seal(j.snapshot, j.size);
    CHECK_OK(b2s6_state_restore(j.state, j.snapshot, j.size));
    after = saved(j.state);
    for (size_t i = 0; i < N; i++)
        CHECK_EQUAL_U64(i < 6 ? 0x7fc00000 : sent[i], get_le(after + AT_FLOATS + 4 * i, 4));
    CHECK_OK(step_input(j.state, &j.s.input, 5, out)); /* it can be stepped */
    for (size_t i = 0; i < 6; i++)
        put_le(j.snapshot + AT_FLOATS + 4 * i, 0x7fc00000, 4);
    seal(j.snapshot, j.size);
    CHECK_BYTES(j.snapshot, after, j.size);
    memcpy(j.before, j.memory, j.memory_size);
    free(after);
    journey_end(&j);

    journey_make_small(&j); /* its 5 channels are 11 short of a group */
    after = (unsigned char *)malloc(j.size);
    CHECK(after != NULL);
    memcpy(after, j.snapshot, j.size);
    for (size_t i = 0; (j.size - AT_FLOATS) / 4 > i; i++)
        if (i % 16 >= 5)
            put_le(after + AT_FLOATS + 4 * i, 0x40490fdb, 4);
    seal(after, j.size);
    CHECK_OK(b2s6_state_restore(j.state, j.snapshot, j.size));
    memcpy(j.before, j.memory, j.memory_size);
    CHECK_OK(b2s6_state_restore(j.state, after, j.size)); /* nothing of it gets into the state */
    free(after);
    journey_end(&j);
}

/* A stream that ran into NaN by itself: the snapshots of all instruction sets are the same bytes, and none knows another NaN. */
static void test_not_a_number_in_a_stream(void)
{
    unsigned char *expected = NULL;
    size_t n_nan = 0;
    subject s;
    subject_make_case(&s, "b2s6-features");
    CHECK_EQUAL_SIZE(1, s.opened.info.input_size);
    for (size_t k = 0; b2s6_isa_name(k) != NULL; k++) {
        const float features[] = { 3.4e38f, -3.4e38f, 1.0f, 3.4e38f, 3.4e38f, 0.5f };
        b2s6_open_options options = B2S6_OPEN_OPTIONS;
        b2s6_model *model;
        b2s6_state *state;
        if (!b2s6_isa_is_available(k))
            continue;
        test_context("%s", b2s6_isa_name(k));
        options.isa = b2s6_isa_name(k);
        CHECK_OK(b2s6_model_open_memory(&model, s.opened.bytes, s.opened.size, &options, NULL));
        CHECK_OK(b2s6_state_create(&state, model, NULL));
        CHECK_OK(b2s6_run_features(state, features, 1, sizeof features / sizeof features[0], NULL, SIZE_MAX, NULL));
        if (expected == NULL)
            expected = saved(state);
        check_saved(expected, state);
        b2s6_state_destroy(state);
        b2s6_model_close(model);
    }
    for (size_t at = AT_FLOATS; at < b2s6_snapshot_size(s.opened.model); at += 4) {
        const uint64_t bits = get_le(expected + at, 4);
        if ((bits & 0x7fffffff) > 0x7f800000) {
            CHECK_EQUAL_U64(0x7fc00000, bits);
            n_nan++;
        }
    }
    CHECK(n_nan > 0);
    free(expected);
    subject_free(&s);
}

/* ---------------------------------------------------------------------------------------------------------------- memory */

static void test_too_small(void)
{
    unsigned char *room;
    journey j;
    journey_make(&j, "b2s6-mamba");
    room = (unsigned char *)malloc(j.size + 64);
    CHECK(room != NULL);
    memset(room, 0xA5, j.size + 64);
    CHECK_STATUS(B2S6_ERROR_SIZE, b2s6_state_save(j.state, room, j.size - 1));
    CHECK_STATUS(B2S6_ERROR_SIZE, b2s6_state_save(j.state, room, 64));
    CHECK_STATUS(B2S6_ERROR_SIZE, b2s6_state_save(j.state, room, 0));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_save(j.state, NULL, j.size));
    CHECK_STATUS(B2S6_ERROR_ARGUMENT, b2s6_state_save(NULL, room, j.size));
    CHECK_EQUAL_SIZE(0, b2s6_snapshot_size(NULL));
    for (size_t i = 0; i < j.size + 64; i++)
        CHECK_EQUAL_INT(0xA5, room[i]);
    CHECK_OK(b2s6_state_save(j.state, room, j.size + 64)); /* more room than needed */
    for (size_t i = j.size; i < j.size + 64; i++)
        CHECK_EQUAL_INT(0xA5, room[i]);
    check_saved(room, j.state);
    free(room);
    journey_end(&j);
}

/* Anywhere in memory. */
static void test_unaligned(void)
{
    unsigned char *room;
    journey j;
    journey_make(&j, "b2s6-s4");
    room = (unsigned char *)malloc(j.size + 64);
    CHECK(room != NULL);
    for (size_t shift = 0; shift < 64; shift++) {
        memset(room, 0xA5, j.size + 64);
        CHECK_OK(b2s6_state_restore(j.state, j.snapshot, j.size));
        CHECK_OK(b2s6_state_save(j.state, room + shift, j.size));
        CHECK_BYTES(j.snapshot, room + shift, j.size);
        CHECK(shift == 0 || room[shift - 1] == 0xA5);
        CHECK(room[shift + j.size] == 0xA5);
        CHECK_OK(step_input(j.state, &j.s.input, 9, NULL));
        CHECK_OK(b2s6_state_restore(j.state, room + shift, j.size));
        check_saved(j.snapshot, j.state);
    }
    memcpy(j.before, j.memory, j.memory_size);
    free(room);
    journey_end(&j);
}

static const test tests[] = {
    TEST(test_cut), TEST(test_every_bit), TEST(test_not_snapshots), TEST(test_other_models), TEST(test_forged_fields),
    TEST(test_unusual_floats), TEST(test_not_a_number_in_a_stream), TEST(test_too_small), TEST(test_unaligned),
};
const test_suite suite_snapshot_damage = TEST_SUITE("snapshot_damage", tests);
