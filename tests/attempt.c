/* attempt.c - opens bytes that may be anything, and uses what opens */
#include "attempt.h"

#include <stdlib.h>
#include <string.h>

#include "subjects.h"
#include "test.h"

enum { STEPS = 5 };
static const size_t too_much = 64u << 20; /* bytes; a state of more is not tried */

static void check_error(b2s6_status status, const b2s6_error *error, size_t size)
{
    CHECK_EQUAL_INT(status, error->status);
    CHECK(memchr(error->message, 0, sizeof error->message) != NULL);
    CHECK(strchr(error->message, '\n') == NULL);
    CHECK((status == B2S6_OK) == (error->message[0] == 0));
    CHECK(error->offset <= size);
}

b2s6_status attempt_open(b2s6_model **model, const void *data, size_t size, uint32_t flags, b2s6_error *error)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_status status, size_status, place_status;
    b2s6_model *placed;
    size_t handle_size = 12345;
    options.flags = flags;
    options.isa = "portable"; /* asking the processor at every open takes longer than all else here */
    memset(error, 0xA5, sizeof *error);
    size_status = b2s6_model_size(&handle_size, data, size, error);
    check_error(size_status, error, size);
    CHECK(size_status == B2S6_OK || handle_size == 12345); /* untouched */
    memset(error, 0xA5, sizeof *error);
    status = b2s6_model_open_memory(model, data, size, &options, error);
    check_error(status, error, size);
    CHECK((status == B2S6_OK) == (*model != NULL));
    CHECK(size_status == B2S6_OK || status == size_status);
    CHECK_STATUS(status, b2s6_model_open_memory(&placed, data, size, &options, NULL)); /* no error structure */
    b2s6_model_close(placed);
    if (size_status == B2S6_OK && handle_size < too_much) {
        void *memory = aligned_memory(handle_size);
        place_status = b2s6_model_place(&placed, memory, handle_size, data, size, &options, NULL);
        CHECK_STATUS(status, place_status);
        CHECK((status == B2S6_OK) == (placed != NULL));
        if (placed != NULL)
            attempt_steps(placed);
        b2s6_model_close(placed);
        free(memory);
    }
    return status;
}

/* One run of n steps; in pieces if it is causal. */
static void run(b2s6_state *state, const b2s6_model_info *info, const model_input *input, void *workspace, size_t size,
                float *out)
{
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    options.workspace = workspace;
    options.workspace_size = size;
    CHECK_OK(run_input(state, input, 0, STEPS, out, &options));
    if (!info->bidirectional) {
        CHECK_OK(run_input(state, input, 0, 2, NULL, NULL));
        CHECK_OK(step_input(state, input, 2, out));
        options.flags = B2S6_RUN_LAST;
        CHECK_OK(run_input(state, input, 3, STEPS - 3, out, &options));
    }
}

void attempt_steps(const b2s6_model *model)
{
    b2s6_model_info info;
    random_source random = { 3 };
    model_config config;
    model_input input;
    size_t workspace_size = b2s6_workspace_size(model, STEPS);
    b2s6_state *state;
    void *workspace;
    float *out;
    info.struct_size = sizeof info;
    CHECK_OK(b2s6_model_describe(model, &info));
    if (b2s6_state_size(model) > too_much || workspace_size > too_much)
        return;
    memset(&config, 0, sizeof config);
    config.input_kind = info.input_kind;
    config.input_size = info.input_size;
    generate_input(&input, &config, STEPS, &random);
    out = (float *)malloc(STEPS * (size_t)info.output_size * sizeof *out);
    workspace = aligned_memory(workspace_size);
    CHECK(out != NULL);
    CHECK_OK(b2s6_state_create(&state, model, NULL));
    run(state, &info, &input, workspace, workspace_size, out);
    b2s6_state_destroy(state);
    free(workspace);
    free(out);
    input_free(&input);
}

b2s6_status attempt_use(const void *data, size_t size, uint32_t flags, b2s6_error *error)
{
    b2s6_model *model;
    b2s6_status status = attempt_open(&model, data, size, flags, error);
    if (status == B2S6_OK)
        attempt_steps(model);
    b2s6_model_close(model);
    return status;
}
