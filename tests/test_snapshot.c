/*
 * test_snapshot.c - a state that travels: restored anywhere, the stream goes on with the same bits; equal states are equal
 * bytes; and the bytes are those of docs/format.md
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/support/checksum.h"
#include "files.h"
#include "model_file.h"
#include "streams.h"
#include "suites.h"

enum { N_RANDOM = 60, AT_CRC = 12, AT_FINGERPRINT = 16, AT_STEPS = 24, AT_BYTES = 32, AT_ARITHMETIC = 40, AT_RESERVED_BYTES = 44,
       AT_FLOATS = 64 };

static void for_each(void (*check)(subject *))
{
    for_each_subject(N_RANDOM, 120, check);
}

static void *allocate(size_t size)
{
    void *memory = malloc(size + 1);
    CHECK(memory != NULL);
    return memory;
}

/* --------------------------------------------------------------------------------------------------------------- resuming */

/* The subject's file under another name, opened for the portable instruction set: as on another machine. */
static b2s6_model *open_elsewhere(const subject *s)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    options.isa = "portable";
    CHECK_OK(open_by_path(&model, s, &options, NULL));
    return model;
}

/* Steps from .. from + n - 1 of the input, as far as it goes, give these rows. */
static void check_steps(const subject *s, b2s6_state *state, const float *rows, size_t from, size_t n, float *scratch)
{
    const size_t width = s->opened.info.output_size;
    CHECK_EQUAL_U64(from, b2s6_state_steps(state));
    for (size_t k = from; k < from + n && k < s->input.n_steps; k++) {
        CHECK_OK(step_input(state, &s->input, k, scratch));
        CHECK_BITS(rows + k * width, scratch, width);
    }
}

/*
 * Saved at every place, and restored into the same state once it has gone on, into a fresh one, and into one of the model
 * opened again from a copy of its file: a few steps, at some places all the rest.
 */
static void check_resume(subject *s)
{
    const size_t n_steps = s->input.n_steps, width = s->opened.info.output_size, size = b2s6_snapshot_size(s->opened.model);
    float *rows = (float *)allocate(n_steps * width * sizeof(float)), *scratch = (float *)allocate(width * sizeof(float));
    unsigned char *snapshot = (unsigned char *)allocate(size);
    b2s6_model *elsewhere;
    b2s6_state *state, *same, *far;
    if (!s->opened.info.bidirectional) {
        elsewhere = open_elsewhere(s);
        CHECK_EQUAL_SIZE(size, b2s6_snapshot_size(elsewhere));
        run_whole(&s->opened, &s->input, 0, rows);
        CHECK_OK(b2s6_state_create(&state, s->opened.model, NULL));
        CHECK_OK(b2s6_state_create(&same, s->opened.model, NULL));
        CHECK_OK(b2s6_state_create(&far, elsewhere, NULL));
        for (size_t k = 0; k <= n_steps; k++) {
            const size_t n = k % 37 == 5 ? n_steps : 3;
            b2s6_state *fresh;
            test_context("%s, saved after %zu of %zu steps", s->name, k, n_steps);
            CHECK_OK(b2s6_state_save(state, snapshot, size));
            CHECK_OK(b2s6_state_restore(same, snapshot, size)); /* it was some steps ahead */
            check_saved(snapshot, same);
            check_steps(s, same, rows, k, n, scratch);
            CHECK_OK(b2s6_state_restore(far, snapshot, size));
            check_saved(snapshot, far);
            check_steps(s, far, rows, k, n, scratch);
            CHECK_OK(b2s6_state_create(&fresh, s->opened.model, NULL));
            CHECK_OK(b2s6_state_restore(fresh, snapshot, size));
            check_saved(snapshot, fresh);
            check_steps(s, fresh, rows, k, 1, scratch);
            b2s6_state_destroy(fresh);
            if (k < n_steps)
                check_steps(s, state, rows, k, 1, scratch); /* saving left it as it was */
        }
        b2s6_state_destroy(state);
        b2s6_state_destroy(same);
        b2s6_state_destroy(far);
        b2s6_model_close(elsewhere);
    }
    free(rows);
    free(scratch);
    free(snapshot);
}

static void test_resume(void) { for_each(check_resume); }

/* Of a bidirectional model: the number of steps travels, and a run afterwards is what it is without. */
static void check_bidirectional(subject *s)
{
    const size_t count = whole_rows(&s->opened, s->input.n_steps) * whole_width(&s->opened, 0);
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    float *rows, *scratch;
    unsigned char *snapshot;
    b2s6_state *state, *other;
    if (!s->opened.info.bidirectional)
        return;
    rows = (float *)allocate(count * sizeof(float));
    scratch = (float *)allocate(count * sizeof(float));
    options.workspace_size = b2s6_workspace_size(s->opened.model, s->input.n_steps);
    options.workspace = aligned_memory(options.workspace_size);
    run_whole(&s->opened, &s->input, 0, rows);
    CHECK_OK(b2s6_state_create(&state, s->opened.model, NULL));
    CHECK_OK(b2s6_state_create(&other, s->opened.model, NULL));
    CHECK_OK(run_input(state, &s->input, 0, s->input.n_steps, scratch, &options));
    snapshot = saved(state);
    CHECK_OK(b2s6_state_restore(other, snapshot, b2s6_snapshot_size(s->opened.model)));
    CHECK_EQUAL_U64(s->input.n_steps, b2s6_state_steps(other));
    check_saved(snapshot, other);
    CHECK_OK(run_input(other, &s->input, 0, s->input.n_steps, scratch, &options));
    CHECK_BITS(rows, scratch, count);
    check_saved(snapshot, other); /* the same run, the same bytes */
    b2s6_state_destroy(state);
    b2s6_state_destroy(other);
    free(options.workspace);
    free(snapshot);
    free(scratch);
    free(rows);
}

static void test_bidirectional(void) { for_each(check_bidirectional); }

/* ------------------------------------------------------------------------------------------------------------ equal bytes */

/* The same place in a stream, reached in one run, in steps, in chunks, as a fork, after a reset, in other memory. */
static void check_equal_states(subject *s)
{
    const size_t n_steps = s->input.n_steps, state_size = b2s6_state_size(s->opened.model);
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    unsigned char *snapshot, *memory = (unsigned char *)aligned_memory(state_size);
    b2s6_state *whole, *state, *fork;
    if (!s->opened.info.bidirectional) {
        options.workspace_size = b2s6_workspace_size(s->opened.model, n_steps);
        options.workspace = aligned_memory(options.workspace_size);
        CHECK_OK(b2s6_state_create(&whole, s->opened.model, NULL));
        CHECK_OK(run_input(whole, &s->input, 0, n_steps, NULL, &options));
        snapshot = saved(whole);
        memset(memory, 0xA5, state_size);
        CHECK_OK(b2s6_state_place(&state, s->opened.model, memory, state_size));
        for (size_t k = 0; k < n_steps; k++)
            CHECK_OK(step_input(state, &s->input, k, NULL));
        check_saved(snapshot, state);
        CHECK_OK(b2s6_state_reset(state));
        for (size_t k = 0; k < n_steps; k += 7)
            CHECK_OK(run_input(state, &s->input, k, n_steps - k < 7 ? n_steps - k : 7, NULL, k % 2 ? &options : NULL));
        check_saved(snapshot, state);
        CHECK_OK(b2s6_state_create(&fork, s->opened.model, NULL));
        CHECK_OK(step_input(fork, &s->input, n_steps - 1, NULL));
        CHECK_OK(b2s6_state_copy(fork, state));
        check_saved(snapshot, fork);
        b2s6_state_destroy(whole);
        b2s6_state_destroy(fork);
        free(options.workspace);
        free(snapshot);
    }
    free(memory);
}

static void test_equal_states(void) { for_each(check_equal_states); }

/* ------------------------------------------------------------------------------------------------------------- the layout */

static float float_at(const unsigned char *bytes)
{
    const uint32_t bits = (uint32_t)get_le(bytes, 4);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static size_t pad16(size_t x)
{
    return (x + 15) / 16 * 16;
}

/* Floats that a channel's states take in this layer, after docs/format.md. */
static size_t state_depth(const b2s6_layer_info *i)
{
    return i->d_state * (i->complex_state ? 2 : 1) * (i->compensated ? 2 : 1);
}

/* Floats of a layer's two parts. */
static size_t unit_floats(const b2s6_layer_info *i)
{
    return pad16(i->d_inner) * state_depth(i);
}

/* Channels of the convolution: of mamba2 B and C follow the unit's, at a whole group of lanes. */
static size_t window_width(const b2s6_layer_info *i)
{
    return i->n_groups ? pad16(i->d_inner) + 2 * (size_t)i->n_groups * i->d_state : i->d_inner;
}

static size_t window_floats(const b2s6_layer_info *i)
{
    return i->d_conv > 1 ? (i->d_conv - 1) * pad16(window_width(i)) : 0;
}

/* Of all layers; a bidirectional model keeps none between runs. */
static size_t layers_floats(const subject *s)
{
    size_t n = 0;
    for (uint32_t l = 0; l < s->opened.info.n_layers && !s->opened.info.bidirectional; l++) {
        const b2s6_layer_info layer = layer_of(&s->opened, l);
        n += unit_floats(&layer) + window_floats(&layer);
    }
    return n;
}

static size_t pool_floats(const b2s6_model_info *i)
{
    return i->pool == B2S6_POOL_MEAN ? 2 * pad16(i->d_model) : 0;
}

static void check_header(const subject *s, const unsigned char *bytes, size_t size, uint64_t steps)
{
    static const unsigned char magic[8] = { 0x89, 'B', '2', 'S', '6', 'S', 13, 10 }, zero[20] = { 0 };
    uint32_t crc = checksum(0, bytes, AT_CRC);
    crc = checksum(checksum(crc, zero, 4), bytes + AT_CRC + 4, size - AT_CRC - 4);
    CHECK_BYTES(magic, bytes, sizeof magic);
    CHECK_EQUAL_U64(2, get_le(bytes + 8, 4));
    CHECK_EQUAL_U64(crc, get_le(bytes + AT_CRC, 4));
    CHECK_EQUAL_U64(s->opened.info.fingerprint, get_le(bytes + AT_FINGERPRINT, 8));
    CHECK_EQUAL_U64(steps, get_le(bytes + AT_STEPS, 8));
    CHECK_EQUAL_U64(size, get_le(bytes + AT_BYTES, 8));
    CHECK_EQUAL_U64(2, get_le(bytes + AT_ARITHMETIC, 4));
    CHECK_BYTES(zero, bytes + AT_RESERVED_BYTES, sizeof zero);
}

/* Channels of the padding are zero: rows of groups of 16 channels, n values deep. */
static void check_padding(const unsigned char *bytes, size_t n_floats, size_t channels, size_t depth)
{
    const size_t row = pad16(channels) * depth;
    for (size_t i = 0; i < n_floats; i++)
        if (i % row / (16 * depth) * 16 + i % 16 >= channels)
            CHECK_EQUAL_U64(0, get_le(bytes + 4 * i, 4));
}

/* Until it is full, a window begins with rows of zeros, one less after each step. */
static void check_window(const b2s6_layer_info *layer, const unsigned char *bytes, size_t steps)
{
    const size_t rows = layer->d_conv - 1, row = pad16(window_width(layer));
    for (size_t r = 0; r < rows; r++) {
        int zero = 1;
        for (size_t i = 0; i < layer->d_inner; i++)
            zero = zero && get_le(bytes + 4 * (r * row + i), 4) == 0;
        CHECK(zero == (r + steps < rows));
    }
}

/* Layer after layer: its unit's states, then its window. */
static void check_layers(const subject *s, const unsigned char *bytes, size_t steps)
{
    for (uint32_t l = 0; l < s->opened.info.n_layers && !s->opened.info.bidirectional; l++) {
        const b2s6_layer_info layer = layer_of(&s->opened, l);
        check_padding(bytes, unit_floats(&layer), layer.d_inner, state_depth(&layer));
        bytes += 4 * unit_floats(&layer);
        check_padding(bytes, window_floats(&layer), window_width(&layer), 1);
        if (window_floats(&layer))
            check_window(&layer, bytes, steps);
        bytes += 4 * window_floats(&layer);
    }
}

/* The row before the head is the mean: what the pool's two parts hold, over the steps. */
static void check_pool(const subject *s, const unsigned char *bytes, const float *hidden, size_t steps)
{
    const size_t d = s->opened.info.d_model;
    for (size_t i = 0; i < d && steps; i++) {
        float sum = float_at(bytes + 4 * i) + float_at(bytes + 4 * (pad16(d) + i)), mean = sum / (float)steps;
        CHECK_BITS(&hidden[i], &mean, 1);
    }
}

static void check_layout(subject *s)
{
    const b2s6_model_info *info = &s->opened.info;
    const size_t before_pool = AT_FLOATS + 4 * layers_floats(s), size = before_pool + 4 * pool_floats(info);
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    float *hidden = (float *)allocate(info->d_model * sizeof(float));
    b2s6_state *state;
    options.flags = B2S6_RUN_HIDDEN;
    CHECK_EQUAL_SIZE(size, b2s6_snapshot_size(s->opened.model));
    CHECK_OK(b2s6_state_create(&state, s->opened.model, NULL));
    for (size_t k = 0; k < 12 && k < s->input.n_steps; k++) {
        unsigned char *bytes = saved(state);
        test_context("%s after %zu steps", s->name, k);
        check_header(s, bytes, size, k);
        check_layers(s, bytes + AT_FLOATS, k);
        check_padding(bytes + before_pool, pool_floats(info), info->d_model, 1);
        if (pool_floats(info))
            check_pool(s, bytes + before_pool, hidden, k);
        for (size_t i = AT_FLOATS; k == 0 && i < size; i++)
            CHECK_EQUAL_INT(0, bytes[i]);
        free(bytes);
        if (info->bidirectional)
            break;
        CHECK_OK(run_input(state, &s->input, k, 1, hidden, &options));
    }
    b2s6_state_destroy(state);
    free(hidden);
}

static void test_layout(void) { for_each(check_layout); }

/*
 * The format cannot drift unnoticed: the shipped digits model after 40 pixels, of a made-up image. Every machine, compiler and
 * instruction set writes these bytes.
 */
static void check_pinned(const unsigned char *file, size_t size, const char *isa)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    unsigned char *snapshot;
    size_t snapshot_size;
    b2s6_model *model;
    b2s6_state *state;
    options.isa = isa;
    CHECK_OK(b2s6_model_open_memory(&model, file, size, &options, NULL));
    CHECK_OK(b2s6_state_create(&state, model, NULL));
    for (int i = 0; i < 40; i++) {
        const float pixel = (float)(i * 7 % 17) * 0.0625f;
        CHECK_OK(b2s6_step_features(state, &pixel, 1, NULL, SIZE_MAX));
    }
    snapshot = saved(state);
    snapshot_size = b2s6_snapshot_size(model);
    CHECK_EQUAL_SIZE(64 + 4 * (3 * 32 * 8 * 2 + 2 * 32), snapshot_size);
    CHECK_EQUAL_U64(399718305u, checksum(0, snapshot, snapshot_size));
    free(snapshot);
    b2s6_state_destroy(state);
    b2s6_model_close(model);
}

static void test_pinned(void)
{
    size_t size;
    unsigned char *file = read_file(tests_folder, "../examples/models/digits.b2s6", &size);
    opened_model opened;
    CHECK(file != NULL);
    open_bytes(&opened, file, size);
    CHECK_EQUAL_U64(UINT64_C(0x06e76d19e1177733), opened.info.fingerprint); /* another file gives other states */
    for (size_t k = 0; b2s6_isa_name(k) != NULL; k++)
        if (b2s6_isa_is_available(k)) {
            test_context("%s", b2s6_isa_name(k));
            check_pinned(opened.bytes, size, b2s6_isa_name(k));
        }
    free(file);
    close_model(&opened);
}

static const test tests[] = {
    TEST(test_resume), TEST(test_bidirectional), TEST(test_equal_states), TEST(test_layout), TEST(test_pinned),
};
const test_suite suite_snapshot = TEST_SUITE("snapshot", tests);
