/* golden.c - stored files, their input, and the digests of what they give (golden.h) */
#include "golden.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "hash.h"
#include "streams.h"
#include "test.h"

golden *golden_list(size_t *n)
{
    char path[1024], line[256];
    golden *list = NULL;
    FILE *f;
    *n = 0;
    snprintf(path, sizeof path, "%s/golden/golden.txt", tests_folder);
    f = fopen(path, "r");
    if (f == NULL)
        FAIL("tests/golden/golden.txt cannot be read");
    while (fgets(line, sizeof line, f) != NULL) {
        golden g;
        if (line[0] == '#')
            continue;
        if (sscanf(line, "%63s %" SCNx64 " %" SCNx64, g.name, &g.rows, &g.hidden) != 3)
            FAIL("golden.txt has a line that is none of its own");
        list = (golden *)realloc(list, (*n + 1) * sizeof *list);
        CHECK(list != NULL);
        list[(*n)++] = g;
    }
    fclose(f);
    return list;
}

/* The bytes of tests/golden/NAME.ENDING, or NULL. */
static unsigned char *stored(const char *name, const char *ending, size_t *size)
{
    char path[80];
    snprintf(path, sizeof path, "golden/%s.%s", name, ending);
    return read_file(tests_folder, path, size);
}

/* The input of every golden file: by the description alone, from one seed. */
static model_input input_for(const b2s6_model_info *info)
{
    const size_t n = N_GOLDEN_STEPS;
    random_source random = { 1 };
    model_input input = { n, NULL, NULL };
    if (info->input_kind == B2S6_TOKENS) {
        input.tokens = (int32_t *)malloc(n * sizeof *input.tokens);
        CHECK(input.tokens != NULL);
        for (size_t i = 0; i < n; i++)
            input.tokens[i] = (int32_t)random_below(&random, info->input_size);
    } else {
        input.features = (float *)malloc(n * info->input_size * sizeof *input.features);
        CHECK(input.features != NULL);
        for (size_t i = 0; i < n * info->input_size; i++)
            input.features[i] = random_uniform(&random);
    }
    return input;
}

static void open_golden(opened_model *opened, const char *name, const char *isa)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    size_t size;
    unsigned char *bytes = stored(name, "b2s6", &size);
    if (bytes == NULL)
        FAIL("a golden model file cannot be read");
    open_bytes(opened, bytes, size);
    free(bytes);
    if (isa == NULL)
        return;
    b2s6_model_close(opened->model);
    options.isa = isa;
    CHECK_OK(b2s6_model_open_memory(&opened->model, opened->bytes, opened->size, &options, NULL));
}

/* All rows by one run: an array from malloc, and how many floats it is. */
static float *rows_of(const opened_model *opened, const model_input *input, uint32_t flags, size_t *count)
{
    float *out;
    *count = whole_rows(opened, input->n_steps) * whole_width(opened, flags);
    out = (float *)calloc(*count, sizeof *out);
    CHECK(out != NULL);
    run_whole(opened, input, flags, out);
    return out;
}

/* The stream half way: a new one steps there, or takes up the snapshot. */
static b2s6_state *half_way(const opened_model *opened, const model_input *input, const unsigned char *snapshot, size_t size)
{
    b2s6_state *state;
    CHECK_OK(b2s6_state_create(&state, opened->model, NULL));
    if (snapshot)
        CHECK_OK(b2s6_state_restore(state, snapshot, size));
    else
        CHECK_OK(run_input(state, input, 0, N_GOLDEN_STEPS / 2, NULL, NULL));
    return state;
}

/* The stored snapshot is today's, byte for byte, and its stream goes on with these rows. */
static void check_snapshot(const opened_model *opened, const model_input *input, const char *name, const float *rows)
{
    const size_t half = N_GOLDEN_STEPS / 2, width = whole_width(opened, 0);
    size_t size;
    unsigned char *snapshot = stored(name, "snapshot", &size);
    b2s6_state *state;
    float *out = (float *)malloc(half * width * sizeof *out);
    if (snapshot == NULL)
        FAIL("a golden snapshot cannot be read");
    state = half_way(opened, input, NULL, 0);
    CHECK_EQUAL_SIZE(size, b2s6_snapshot_size(opened->model));
    check_saved(snapshot, state);
    b2s6_state_destroy(state);
    state = half_way(opened, input, snapshot, size);
    CHECK_OK(run_input(state, input, half, half, out, NULL));
    CHECK_BITS(rows + half * width, out, half * width);
    b2s6_state_destroy(state);
    free(out);
    free(snapshot);
}

golden golden_measure(const char *name, const char *isa)
{
    golden g;
    opened_model opened;
    model_input input;
    size_t count;
    float *out;
    test_context("%s on %s", name, isa ? isa : "the default instruction set");
    snprintf(g.name, sizeof g.name, "%s", name);
    open_golden(&opened, name, isa);
    input = input_for(&opened.info);
    out = rows_of(&opened, &input, B2S6_RUN_HIDDEN, &count);
    g.hidden = hash_floats(hash_begin, out, count);
    free(out);
    out = rows_of(&opened, &input, 0, &count);
    g.rows = hash_floats(hash_begin, out, count);
    if (!opened.info.bidirectional)
        check_snapshot(&opened, &input, name, out);
    free(out);
    input_free(&input);
    close_model(&opened);
    return g;
}

void golden_write_snapshot(const char *name)
{
    char path[80];
    opened_model opened;
    model_input input;
    open_golden(&opened, name, NULL);
    input = input_for(&opened.info);
    snprintf(path, sizeof path, "golden/%s.snapshot", name);
    if (!opened.info.bidirectional) {
        b2s6_state *state = half_way(&opened, &input, NULL, 0);
        unsigned char *snapshot = saved(state);
        if (!write_file(tests_folder, path, snapshot, b2s6_snapshot_size(opened.model)))
            FAIL("the snapshot cannot be written");
        free(snapshot);
        b2s6_state_destroy(state);
    }
    input_free(&input);
    close_model(&opened);
}
