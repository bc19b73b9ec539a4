/*
 * test_memory.c - one allocation a handle, none afterwards, none at all in the caller's memory, and nothing written beside it
 */
#define _POSIX_C_SOURCE 200809L /* opendir */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocator.h"
#include "files.h"
#include "guard.h"
#include "subjects.h"
#include "suites.h"
#include "wrap.h"

enum { N_RANDOM = 60, MARGIN = 4096 };

static void for_each(void (*check)(subject *))
{
    for_each_subject(N_RANDOM, 100, check);
}

/* Everything that can be done with a stream. out has room for a run of all steps. */
static void use(b2s6_state *state, b2s6_state *other, const subject *s, void *workspace, size_t workspace_size, float *out)
{
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    options.workspace = workspace;
    options.workspace_size = workspace_size;
    CHECK_OK(b2s6_state_reset(state));
    CHECK_OK(run_input(state, &s->input, 0, s->input.n_steps, out, &options));
    options.flags = B2S6_RUN_LAST | B2S6_RUN_HIDDEN;
    CHECK_OK(run_input(state, &s->input, 0, s->input.n_steps, out, &options));
    CHECK_OK(b2s6_state_copy(other, state));
    if (!s->opened.info.bidirectional) {
        CHECK_OK(run_input(other, &s->input, 0, s->input.n_steps, out, NULL));
        CHECK_OK(step_input(other, &s->input, 0, out));
        CHECK_OK(step_input(other, &s->input, 0, NULL));
    }
}

/* What use needs, from outside the library. */
typedef struct surroundings {
    void *workspace;
    size_t workspace_size;
    float *out;
} surroundings;

static void surroundings_make(surroundings *u, const subject *s)
{
    size_t width = s->opened.info.output_size > s->opened.info.d_model ? s->opened.info.output_size : s->opened.info.d_model;
    u->workspace_size = b2s6_workspace_size(s->opened.model, s->input.n_steps);
    u->workspace = aligned_memory(u->workspace_size);
    u->out = (float *)malloc(s->input.n_steps * width * sizeof *u->out);
    CHECK(u->out != NULL);
}

static void surroundings_free(surroundings *u)
{
    free(u->workspace);
    free(u->out);
}

/* ----------------------------------------------------------------------------------------------------- one allocation each */

/* Where a handle also holds the weights in the machine's own order. */
static int big_endian(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

static void check_one_allocation(subject *s)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    b2s6_state *state, *other;
    counting models, states;
    surroundings u;
    size_t handle_size, before = wrap_allocations(), frees;
    counting_make(&models);
    counting_make(&states);
    options.allocator = &models.allocator;
    CHECK_OK(b2s6_model_size(&handle_size, s->opened.bytes, s->opened.size, NULL));
    CHECK_OK(b2s6_model_open_memory(&model, s->opened.bytes, s->opened.size, &options, NULL));
    CHECK_EQUAL_SIZE(1, models.allocations);
    CHECK_EQUAL_SIZE(handle_size, models.last_size); /* the size that was asked for beforehand */
    if (!big_endian()) /* and the one that was known when the program was compiled */
        CHECK_EQUAL_SIZE(B2S6_MODEL_SIZE(s->opened.info.n_layers), handle_size);
    CHECK_OK(b2s6_state_create(&state, model, &states.allocator));
    CHECK_EQUAL_SIZE(1, states.allocations);
    CHECK_EQUAL_SIZE(b2s6_state_size(model), states.last_size);
    CHECK_OK(b2s6_state_create(&other, model, &states.allocator));
    CHECK_EQUAL_SIZE(2, states.allocations);
    CHECK(!wrap_available() || wrap_allocations() == before + 3); /* those of the test's allocator, no other */
    memset(&options, 0xA5, sizeof options); /* the structures are copied: the caller's may go */
    {
        subject same = *s;
        same.opened.model = model;
        surroundings_make(&u, &same);
        before = wrap_allocations();
        frees = wrap_frees();
        use(state, other, &same, u.workspace, u.workspace_size, u.out);
        CHECK_EQUAL_SIZE(before, wrap_allocations());
        CHECK_EQUAL_SIZE(frees, wrap_frees());
        surroundings_free(&u);
    }
    CHECK_EQUAL_SIZE(1, models.allocations);
    CHECK_EQUAL_SIZE(2, states.allocations);
    b2s6_state_destroy(other);
    b2s6_state_destroy(state);
    CHECK_EQUAL_SIZE(0, models.releases);
    b2s6_model_close(model);
    counting_check(&models, 1);
    counting_check(&states, 2);
}

static void test_one_allocation_each(void)
{
    if (!wrap_available())
        test_note("not run here: counting malloc itself, which takes a linker with --wrap");
    for_each(check_one_allocation);
}

/* Without an allocator the same through malloc. */
static void check_malloc(subject *s)
{
    b2s6_model *model;
    b2s6_state *state;
    size_t before = wrap_allocations(), frees = wrap_frees();
    CHECK_OK(b2s6_model_open_memory(&model, s->opened.bytes, s->opened.size, NULL, NULL));
    CHECK_EQUAL_SIZE(before + 1, wrap_allocations());
    CHECK_OK(b2s6_state_create(&state, model, NULL));
    CHECK_EQUAL_SIZE(before + 2, wrap_allocations());
    CHECK_EQUAL_SIZE(frees, wrap_frees());
    b2s6_state_destroy(state);
    b2s6_model_close(model);
    CHECK_EQUAL_SIZE(before + 2, wrap_allocations());
    CHECK_EQUAL_SIZE(frees + 2, wrap_frees());
}

static void test_malloc_by_default(void)
{
    if (wrap_available())
        for_each(check_malloc);
    else
        test_note("not run here: this takes a linker with --wrap");
}

/* A file by path: one allocation as well. */
static void test_file_takes_one_allocation(void)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    counting c;
    subject s;
    subject_make(&s, 0);
    counting_make(&c);
    options.allocator = &c.allocator;
    for (size_t i = 1; i <= 3; i++) {
        CHECK_OK(open_by_path(&model, &s, &options, NULL));
        CHECK_EQUAL_SIZE(i, c.allocations);
        b2s6_model_close(model);
        counting_check(&c, i);
    }
    c.refuse = 1;
    CHECK_STATUS(B2S6_ERROR_MEMORY, open_by_path(&model, &s, &options, NULL));
    CHECK(model == NULL);
    subject_free(&s);
}

/* -------------------------------------------------------------------------------------------------- refusals and failures */

static void test_refusing_allocator(void)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    b2s6_state *state;
    b2s6_error error;
    counting c;
    subject s;
    subject_make(&s, 0);
    counting_make(&c);
    options.allocator = &c.allocator;
    c.refuse = 1;
    CHECK_STATUS(B2S6_ERROR_MEMORY, b2s6_model_open_memory(&model, s.opened.bytes, s.opened.size, &options, &error));
    CHECK(model == NULL && error.status == B2S6_ERROR_MEMORY && error.message[0] != 0);
    CHECK_STATUS(B2S6_ERROR_MEMORY, b2s6_state_create(&state, s.opened.model, &c.allocator));
    CHECK(state == NULL);
    c.refuse = 0; /* and when there is memory again all is well */
    CHECK_OK(b2s6_model_open_memory(&model, s.opened.bytes, s.opened.size, &options, &error));
    CHECK_OK(b2s6_state_create(&state, model, &c.allocator));
    b2s6_state_destroy(state);
    b2s6_model_close(model);
    counting_check(&c, 2);
    subject_free(&s);
}

/* An allocator that does not align as it was asked to: noticed, and its block given back. */
static void test_misaligning_allocator(void)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    subject s;
    subject_make(&s, 0);
    for (size_t shift = 8; shift < B2S6_ALIGNMENT; shift *= 2) {
        b2s6_model *model;
        b2s6_state *state;
        counting c;
        counting_make(&c);
        c.misalign = shift;
        options.allocator = &c.allocator;
        CHECK_STATUS(B2S6_ERROR_ALIGNMENT, b2s6_state_create(&state, s.opened.model, &c.allocator));
        CHECK(state == NULL);
        CHECK_STATUS(B2S6_ERROR_ALIGNMENT,
                     b2s6_model_open_memory(&model, s.opened.bytes, s.opened.size, &options, NULL));
        CHECK(model == NULL);
        counting_check(&c, 2);
    }
    subject_free(&s);
}

/* A file that fails late, in its weights, after the handle was allocated: nothing is kept. */
static void test_failing_open_keeps_nothing(void)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    counting c;
    subject s;
    size_t before, frees;
    unsigned char *end;
    subject_make(&s, 0);
    end = s.opened.bytes + s.opened.size;
    b2s6_model_close(s.opened.model);
    end[-1] ^= 0x40; /* the checksum no longer fits */
    counting_make(&c);
    options.allocator = &c.allocator;
    before = wrap_allocations();
    frees = wrap_frees();
    CHECK_STATUS(B2S6_ERROR_CHECKSUM, b2s6_model_open_memory(&model, s.opened.bytes, s.opened.size, &options, NULL));
    CHECK_STATUS(B2S6_ERROR_CHECKSUM, b2s6_model_open_memory(&model, s.opened.bytes, s.opened.size, NULL, NULL));
    CHECK_EQUAL_SIZE(wrap_allocations() - before, wrap_frees() - frees);
    CHECK_STATUS(B2S6_ERROR_CHECKSUM, open_by_path(&model, &s, &options, NULL));
    CHECK_EQUAL_SIZE(c.allocations, c.releases);
    counting_check(&c, c.allocations);
    s.opened.model = NULL;
    subject_free(&s);
}

/* Mappings and file descriptors of this process, counted without another one, which would come and go; 0 without /proc. */
static void count_handles(size_t *mappings, size_t *descriptors)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    DIR *folder = opendir("/proc/self/fd");
    *mappings = *descriptors = 0;
    for (int c; maps != NULL && (c = getc(maps)) != EOF;)
        *mappings += c == '\n';
    while (folder != NULL && readdir(folder) != NULL)
        ++*descriptors;
    if (maps != NULL)
        fclose(maps);
    if (folder != NULL)
        closedir(folder);
}

/* Files opened by path and closed, and files that fail: no mapping and no descriptor stays. */
static void test_files_are_let_go(void)
{
    static const char *const files[] = { "good.b2s6", "bad.b2s6", "short.b2s6", "empty.b2s6" };
    char folder[512], path[600];
    size_t mappings[2], descriptors[2];
    subject s;
    subject_make(&s, 0);
    CHECK(make_folder(folder, sizeof folder) && write_file(folder, files[0], s.opened.bytes, s.opened.size));
    s.opened.bytes[s.opened.size - 1] ^= 1;
    CHECK(write_file(folder, files[1], s.opened.bytes, s.opened.size));
    CHECK(write_file(folder, files[2], s.opened.bytes, 100) && write_file(folder, files[3], "", 0));
    count_handles(&mappings[0], &descriptors[0]);
    for (int round = 0; round < 100; round++)
        for (size_t i = 0; i < 5; i++) {
            b2s6_model *model;
            snprintf(path, sizeof path, "%s/%s", folder, i < 4 ? files[i] : "missing");
            CHECK((b2s6_model_open_file(&model, path, NULL, NULL) == B2S6_OK) == (i == 0));
            b2s6_model_close(model);
        }
    count_handles(&mappings[1], &descriptors[1]);
    if (mappings[0] == 0)
        test_note("not run here: counting mappings, which takes /proc");
    CHECK(mappings[1] < mappings[0] + 20); /* the C library may take a few for its heap */
    CHECK_EQUAL_SIZE(descriptors[0], descriptors[1]);
    CHECK(remove_folder(folder, files, 4));
    subject_free(&s);
}

/* ------------------------------------------------------------------------------------------------------ the caller's memory */

/* size bytes before a page that cannot be touched, behind bytes of a known value. */
static unsigned char *alone(guard *g, size_t size)
{
    guard_make(g, size + MARGIN);
    return guard_room(g, size);
}

static void check_alone(guard *g)
{
    CHECK_EQUAL_SIZE(0, guard_touched(g));
    guard_free(g);
}

/*
 * Both handles, the workspace and the output in memory of exactly the size asked for: a byte read or written behind it ends
 * the program, one written before it shows. The file lies in memory that cannot be written.
 */
static void check_placed(subject *s)
{
    size_t model_size, state_size, workspace_size, out_size, before, frees;
    guard file, model_memory, state_memory, other_memory, workspace, out;
    b2s6_state *state, *other;
    subject placed = *s;
    guard_make(&file, s->opened.size);
    guard_copy(&file, s->opened.bytes, s->opened.size);
    CHECK_OK(b2s6_model_size(&model_size, file.data, s->opened.size, NULL));
    state_size = b2s6_state_size(s->opened.model);
    workspace_size = b2s6_workspace_size(s->opened.model, s->input.n_steps);
    out_size = whole_rows(&s->opened, s->input.n_steps) * sizeof(float) *
               (s->opened.info.output_size > s->opened.info.d_model ? s->opened.info.output_size : s->opened.info.d_model);
    alone(&model_memory, model_size);
    alone(&state_memory, state_size);
    alone(&other_memory, state_size);
    alone(&workspace, workspace_size);
    alone(&out, out_size);
    before = wrap_allocations();
    frees = wrap_frees();
    CHECK_OK(b2s6_model_place(&placed.opened.model, model_memory.data, model_size, file.data, s->opened.size, NULL, NULL));
    CHECK_OK(b2s6_state_place(&state, placed.opened.model, state_memory.data, state_size));
    CHECK_OK(b2s6_state_place(&other, placed.opened.model, other_memory.data, state_size));
    use(state, other, &placed, workspace.data, workspace_size, (float *)(void *)out.data);
    b2s6_state_destroy(state);
    b2s6_state_destroy(other);
    b2s6_model_close(placed.opened.model);
    CHECK_EQUAL_SIZE(before, wrap_allocations());
    CHECK_EQUAL_SIZE(frees, wrap_frees());
    check_alone(&model_memory);
    check_alone(&state_memory);
    check_alone(&other_memory);
    check_alone(&workspace);
    check_alone(&out);
    guard_free(&file);
}

static void test_placed(void) { for_each(check_placed); }

/* A model in the caller's memory answers like one that was opened. */
static void check_placed_bits(subject *s)
{
    size_t size, count = whole_rows(&s->opened, s->input.n_steps) * whole_width(&s->opened, 0);
    float *expected = (float *)malloc(count * sizeof *expected), *out = (float *)malloc(count * sizeof *out);
    opened_model placed = s->opened;
    void *memory;
    CHECK_OK(b2s6_model_size(&size, s->opened.bytes, s->opened.size, NULL));
    memory = aligned_memory(size);
    memset(memory, 0xA5, size);
    CHECK_OK(b2s6_model_place(&placed.model, memory, size, s->opened.bytes, s->opened.size, NULL, NULL));
    run_whole(&s->opened, &s->input, 0, expected);
    run_whole(&placed, &s->input, 0, out);
    CHECK_BITS(expected, out, count);
    b2s6_model_close(placed.model);
    free(memory);
    free(expected);
    free(out);
}

static void test_placed_bits(void) { for_each(check_placed_bits); }

static const test tests[] = {
    TEST(test_one_allocation_each), TEST(test_malloc_by_default), TEST(test_file_takes_one_allocation),
    TEST(test_refusing_allocator), TEST(test_misaligning_allocator), TEST(test_failing_open_keeps_nothing),
    TEST(test_files_are_let_go),
    TEST(test_placed), TEST(test_placed_bits),
};
const test_suite suite_memory = TEST_SUITE("memory", tests);
