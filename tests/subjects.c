/* subjects.c - models to put under test */
#define _POSIX_C_SOURCE 200809L /* posix_memalign */
#include "subjects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/convert/convert.h"
#include "files.h"
#include "mamba2.h"
#include "test.h"

const char *tests_folder = "tests";
const char *subject_type = "f32", *subject_states = NULL;

const char *const case_names[] = {
    "b2s6-batchnorm-post", "b2s6-bidirectional-mean", "b2s6-complex-c", "b2s6-euler", "b2s6-features", "b2s6-h1-no-bias",
    "b2s6-mamba", "b2s6-no-head", "b2s6-p1", "b2s6-real", "b2s6-s4", "hf-mamba1", "large-steps", "long", "s4d", "s6",
    "small-steps",
};
const size_t n_cases = sizeof case_names / sizeof case_names[0];
const char *const family_case_names[] = {
    "hf-mamba2-limits", "hf-mamba2-untied", "mamba2-ss", "mamba2-ss-mlp", "mamba2-ss-options",
};
const size_t n_family_cases = sizeof family_case_names / sizeof family_case_names[0];

size_t n_subjects(size_t n_random)
{
    return n_cases + n_random + n_family_cases + n_random / 4;
}

size_t subject_at(size_t k, size_t n_random)
{
    return k < n_cases + n_random ? k : FAMILY + (k - n_cases - n_random);
}

/* The case's name, or NULL for a random model, whose number is then in *seed. */
static const char *case_of(size_t i, uint64_t *seed)
{
    const size_t k = i < FAMILY ? i : i - FAMILY, n = i < FAMILY ? n_cases : n_family_cases;
    *seed = k - n;
    return k >= n ? NULL : i < FAMILY ? case_names[k] : family_case_names[k];
}

void *aligned_memory(size_t size)
{
    void *memory = NULL;
    if (posix_memalign(&memory, B2S6_ALIGNMENT, size ? size : 1) != 0)
        FAIL("out of memory");
    return memory;
}

void open_bytes(opened_model *opened, const unsigned char *bytes, size_t size)
{
    b2s6_error error;
    b2s6_status status;
    opened->bytes = (unsigned char *)aligned_memory(size);
    memcpy(opened->bytes, bytes, size);
    opened->size = size;
    status = b2s6_model_open_memory(&opened->model, opened->bytes, size, NULL, &error);
    if (status != B2S6_OK)
        test_note("%s at %" PRIu64, error.message, error.offset);
    CHECK_OK(status);
    opened->info.struct_size = sizeof opened->info;
    CHECK_OK(b2s6_model_describe(opened->model, &opened->info));
}

static convert_options options_of_subjects(void)
{
    convert_options options = { subject_type, subject_states, NULL, 0 };
    return options;
}

unsigned char *convert_trained(const trained_model *model, size_t *size)
{
    convert_options options = options_of_subjects();
    size_t source_size;
    unsigned char *source = trained_write(model, &source_size), *bytes = NULL;
    char error[256] = "";
    int status = convert_safetensors_memory(source, source_size, "generated.safetensors", &options, &bytes, size, error,
                                            sizeof error);
    free(source);
    if (status != 0)
        test_note("converter: %s", error);
    CHECK_EQUAL_INT(0, status);
    return bytes;
}

void open_trained(opened_model *opened, const trained_model *model)
{
    size_t size;
    unsigned char *bytes = convert_trained(model, &size);
    open_bytes(opened, bytes, size);
    free(bytes);
}

b2s6_layer_info layer_of(const opened_model *opened, uint32_t l)
{
    b2s6_layer_info layer;
    layer.struct_size = sizeof layer;
    CHECK_OK(b2s6_layer_describe(opened->model, l, &layer));
    return layer;
}

void close_model(opened_model *opened)
{
    b2s6_model_close(opened->model);
    free(opened->bytes);
    memset(opened, 0, sizeof *opened);
}

/* ---------------------------------------------------------------------------------------------------------------- runs */

/* No checks here: threads run this too. */
static int reads_tokens(const b2s6_state *state, b2s6_model_info *info)
{
    info->struct_size = sizeof *info;
    return b2s6_model_describe(b2s6_state_model(state), info) == B2S6_OK && info->input_kind == B2S6_TOKENS;
}

/* Exactly the room for what a run of n steps writes. */
static size_t room_for(const b2s6_model_info *info, size_t n, const b2s6_run_options *options)
{
    const uint32_t flags = options ? options->flags : 0;
    const size_t width = flags & B2S6_RUN_HIDDEN ? info->d_model : info->output_size;
    return flags & B2S6_RUN_LAST || (info->bidirectional && info->pool != B2S6_POOL_NONE) ? width : n * width;
}

b2s6_status run_input(b2s6_state *state, const model_input *input, size_t first, size_t n, float *out,
                      const b2s6_run_options *options)
{
    b2s6_model_info info;
    if (reads_tokens(state, &info))
        return b2s6_run_tokens(state, input->tokens + first, n, out, room_for(&info, n, options), options);
    return b2s6_run_features(state, input->features + first * info.input_size, info.input_size, n, out,
                             room_for(&info, n, options), options);
}

b2s6_status step_input(b2s6_state *state, const model_input *input, size_t k, float *out)
{
    b2s6_model_info info;
    if (reads_tokens(state, &info))
        return b2s6_step_token(state, input->tokens[k], out, info.output_size);
    return b2s6_step_features(state, input->features + k * info.input_size, info.input_size, out, info.output_size);
}

size_t whole_rows(const opened_model *opened, size_t n_steps)
{
    return opened->info.bidirectional && opened->info.pool != B2S6_POOL_NONE ? 1 : n_steps;
}

size_t whole_width(const opened_model *opened, uint32_t flags)
{
    return flags & B2S6_RUN_HIDDEN ? opened->info.d_model : opened->info.output_size;
}

void run_whole(const opened_model *opened, const model_input *input, uint32_t flags, float *out)
{
    b2s6_state *state;
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    options.flags = flags;
    options.workspace_size = b2s6_workspace_size(opened->model, input->n_steps);
    options.workspace = aligned_memory(options.workspace_size);
    CHECK_OK(b2s6_state_create(&state, opened->model, NULL));
    CHECK_OK(run_input(state, input, 0, input->n_steps, out, &options));
    b2s6_state_destroy(state);
    free(options.workspace);
}

/* ------------------------------------------------------------------------------------------------------------ subjects */

unsigned char *convert_case(const char *name, size_t *size)
{
    convert_options options = options_of_subjects();
    char path[1024], error[256] = "";
    unsigned char *bytes = NULL;
    int folder = strncmp(name, "hf-", 3) == 0 || strncmp(name, "mamba2-", 7) == 0, status;
    snprintf(path, sizeof path, "%s/cases/%s%s", tests_folder, name, folder ? "" : "/model.safetensors");
    status = convert_checkpoint(path, &options, &bytes, size, error, sizeof error);
    if (status != 0)
        test_note("converter: %s", error);
    CHECK_EQUAL_INT(0, status);
    return bytes;
}

void subject_name(char *name, size_t size, size_t i)
{
    uint64_t seed;
    const char *case_name = case_of(i, &seed);
    if (case_name)
        snprintf(name, size, "%s", case_name);
    else
        snprintf(name, size, "%s-%03d", i < FAMILY ? "random" : "random-mamba2", (int)seed);
}

unsigned char *subject_file(size_t i, size_t *size)
{
    trained_model model;
    unsigned char *bytes;
    uint64_t seed;
    const char *name = case_of(i, &seed);
    if (name)
        return convert_case(name, size);
    if (i >= FAMILY) {
        mamba2_model mamba2;
        mamba2_generate(&mamba2, seed);
        bytes = mamba2_convert(&mamba2, subject_type, subject_states ? subject_states : seed % 2 ? "plain" : "compensated", size);
        mamba2_free(&mamba2);
        return bytes;
    }
    generate_model(&model, seed);
    bytes = convert_trained(&model, size);
    trained_free(&model);
    return bytes;
}

static void case_input(model_input *input, const char *name)
{
    char folder[1024];
    npy array;
    snprintf(folder, sizeof folder, "%s/cases/%s", tests_folder, name);
    if (!read_npy(&array, folder, "inputs.npy"))
        FAIL("the case's inputs.npy cannot be read");
    input->n_steps = array.rows;
    input->tokens = array.type == 'i' ? (int32_t *)array.values : NULL;
    input->features = array.type == 'f' ? (float *)array.values : NULL;
}

void subject_make_from(subject *s, size_t i, const unsigned char *file, size_t size)
{
    static const uint32_t lengths[] = { 1, 2, 3, 7, 16, 17, 33, 70, 150 };
    uint64_t seed;
    memset(s, 0, sizeof *s);
    subject_name(s->name, sizeof s->name, i);
    test_context("%s", s->name);
    open_bytes(&s->opened, file, size);
    if (case_of(i, &seed)) {
        case_input(&s->input, s->name);
    } else {
        random_source random = { ~seed };
        model_config config;
        memset(&config, 0, sizeof config);
        config.input_kind = s->opened.info.input_kind;
        config.input_size = s->opened.info.input_size;
        generate_input(&s->input, &config, RANDOM_OF(&random, lengths), &random);
    }
}

void subject_make(subject *s, size_t i)
{
    char name[64];
    size_t size;
    unsigned char *file;
    subject_name(name, sizeof name, i);
    test_context("%s", name);
    file = subject_file(i, &size);
    subject_make_from(s, i, file, size);
    free(file);
}

void subject_make_case(subject *s, const char *name)
{
    size_t i = 0;
    while (strcmp(case_names[i], name) != 0)
        i++;
    subject_make(s, i);
}

void subject_free(subject *s)
{
    close_model(&s->opened);
    input_free(&s->input);
}

void for_each_subject(size_t n_random, size_t most_steps, void (*check)(subject *s))
{
    for (size_t k = 0; k < n_subjects(n_random); k++) {
        subject s;
        subject_make(&s, subject_at(k, n_random));
        if (s.input.n_steps > most_steps)
            s.input.n_steps = most_steps;
        check(&s);
        subject_free(&s);
    }
}

b2s6_status open_by_path(b2s6_model **model, const subject *s, const b2s6_open_options *options, b2s6_error *error)
{
    static const char *const files[] = { "model.b2s6" };
    char folder[512], path[600];
    b2s6_status status;
    CHECK(make_folder(folder, sizeof folder) && write_file(folder, files[0], s->opened.bytes, s->opened.size));
    snprintf(path, sizeof path, "%s/%s", folder, files[0]);
    status = b2s6_model_open_file(model, path, options, error);
    CHECK(remove_folder(folder, files, 1));
    return status;
}
