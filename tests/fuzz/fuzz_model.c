/*
 * fuzz_model.c - model files from anyone: whatever the bytes are, opening them and running what opens may not read or write
 * outside, overflow, leak, or take long
 *
 * The mutator knows the format as far as sizes and checksums go: most mutants are sealed again, so that the checks behind the
 * checksum are reached, and now and then one field of the configuration or of the tensor table, or one weight, is replaced by
 * a value that is known to be awkward. make fuzz runs it; with -DFUZZ_MAIN under any compiler it runs the files it is given.
 */
#define _POSIX_C_SOURCE 200809L /* posix_memalign */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b2s6.h"
#include "tests/model_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed);

enum { STEPS = 4, LINE = B2S6_ALIGNMENT };
static const size_t too_much = (size_t)8 << 20; /* bytes of a state or workspace that is still tried */

static void must(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_model: %s\n", what);
        abort();
    }
}

/* Exactly size bytes, aligned, so that a sanitizer sees the first byte too many. */
static void *exact(size_t size)
{
    void *memory = NULL;
    must(posix_memalign(&memory, LINE, size ? size : 1) == 0, "out of memory");
    memset(memory, 0xA5, size);
    return memory;
}

/* A run over some steps; bidirectional models need the workspace, causal ones are also stepped without. */
static void run(b2s6_state *state, const b2s6_model_info *info, void *workspace, size_t workspace_size, float *out)
{
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    int32_t tokens[STEPS];
    float *features = (float *)exact((size_t)STEPS * info->input_size * sizeof *features);
    const size_t room = (size_t)STEPS * info->output_size;
    b2s6_status status;
    options.workspace = workspace;
    options.workspace_size = workspace_size;
    for (uint32_t k = 0; k < STEPS; k++)
        tokens[k] = (int32_t)(k * 7919u % info->input_size);
    for (size_t i = 0; i < (size_t)STEPS * info->input_size; i++)
        features[i] = (float)(int)(i % 13) - 6;
    status = info->input_kind == B2S6_TOKENS ? b2s6_run_tokens(state, tokens, STEPS, out, room, &options)
                                             : b2s6_run_features(state, features, info->input_size, STEPS, out, room, &options);
    must(status == B2S6_OK, "a run failed");
    for (int k = 0; k < 2 && !info->bidirectional; k++) {
        status = info->input_kind == B2S6_TOKENS ? b2s6_step_token(state, tokens[k], out, room)
                                                 : b2s6_step_features(state, features, info->input_size, out, room);
        must(status == B2S6_OK, "a step failed");
    }
    must(!info->bidirectional || b2s6_step_token(state, 0, out, room) != B2S6_OK, "a bidirectional model was stepped");
    free(features);
}

static void use(const b2s6_model *model)
{
    b2s6_model_info info;
    b2s6_state *state;
    size_t workspace_size = b2s6_workspace_size(model, STEPS), state_size = b2s6_state_size(model), rows = STEPS;
    void *memory, *workspace;
    float *out;
    const char *key, *value = NULL;
    info.struct_size = sizeof info;
    must(b2s6_model_describe(model, &info) == B2S6_OK, "an open model is not described");
    for (size_t i = 0; (key = b2s6_model_metadata_at(model, i, &value)) != NULL; i++)
        must(strlen(key) > 0 && b2s6_model_metadata(model, key) != NULL && strlen(value) < info.file_size, "metadata");
    if (state_size > too_much || workspace_size > too_much)
        return;
    if (info.bidirectional && info.pool != B2S6_POOL_NONE)
        rows = 1;
    memory = exact(state_size);
    workspace = exact(workspace_size);
    out = (float *)exact(rows * info.output_size * sizeof *out);
    must(b2s6_state_place(&state, model, memory, state_size) == B2S6_OK, "no state of the size that was given");
    run(state, &info, workspace, workspace_size, out);
    free(out);
    free(workspace);
    free(memory);
}

static void check_error(b2s6_status status, const b2s6_error *error, size_t size)
{
    must(error->status == status, "the error's status is another");
    must(memchr(error->message, 0, sizeof error->message) != NULL, "the message has no end");
    must((status == B2S6_OK) == (error->message[0] == 0), "a failure without a message");
    must(error->offset <= size, "the error's offset lies outside the file");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint32_t flags[] = { 0, B2S6_OPEN_TRUST };
    unsigned char *file = (unsigned char *)exact(size);
    b2s6_error error;
    size_t handle_size;
    if (size > 0)
        memcpy(file, bytes, size);
    if (b2s6_model_size(&handle_size, file, size, &error) == B2S6_OK && handle_size < too_much)
        for (int i = 0; i < 2; i++) {
            b2s6_open_options options = B2S6_OPEN_OPTIONS;
            void *memory = exact(handle_size);
            b2s6_model *model;
            options.flags = flags[i];
            options.isa = "portable"; /* plain C, where sanitizers see everything */
            check_error(b2s6_model_place(&model, memory, handle_size, file, size, &options, &error), &error, size);
            if (model != NULL)
                use(model);
            b2s6_model_close(model);
            free(memory);
        }
    else
        check_error(error.status, &error, size);
    free(file);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------- mutator */

static uint32_t next(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

static uint32_t awkward(uint32_t *random)
{
    static const uint32_t values[] = {
        0, 1, 2, 3, 4, 15, 16, 17, 63, 64, 65, 0xff, 0x100, 0xffff, 0x10000, 0x10001, 0x1000000, 0x1000001, 0x7fffffff,
        0x80000000u, 0x80000001u, 0xfffffff0u, 0xffffffffu, 0x7f800000, 0xff800000u, 0x7fc00000, 0x7f7fffff, 0xff7fffffu,
        0x00800000, 0x007fffff, 0x3f800000, 0xbf800000u, 0x42b17218, 0xc2aeac50u,
    };
    return values[next(random) % (sizeof values / sizeof values[0])];
}

/* One number in the file replaced: of the header, the configuration, the tables, or a weight. */
static void replace_one(unsigned char *file, size_t size, uint32_t *random)
{
    size_t n_config = (size_t)get_le(file + AT_N_CONFIG, 4), n_tensors = (size_t)get_le(file + AT_N_TENSORS, 4);
    size_t header = (size_t)get_le(file + AT_HEADER_BYTES, 4), at = 8;
    switch (next(random) % 5) {
    case 0:
        at = 8 + 4 * (next(random) % 14);
        break;
    case 1:
        at = n_config ? AT_CONFIG + 8 * (next(random) % (n_config < 64 ? n_config : 64)) + 4 * (next(random) % 4 != 0) : 8;
        break;
    case 2:
        at = n_tensors ? file_entry(file, (uint32_t)(next(random) % (n_tensors < 1000 ? n_tensors : 1000))) : 8;
        at += 4 * (next(random) % 12);
        break;
    case 3: /* the last of the tensors' table and all of the entries' */
        at = n_tensors && n_tensors < 1000 ? file_entry(file, (uint32_t)n_tensors - 1) + 4 * (next(random) % 48) : 8;
        break;
    default:
        at = header < size ? header + next(random) % (size - header) / 4 * 4 : 8;
    }
    if (size >= 4 && at <= size - 4)
        put_le(file + at, next(random) % 3 ? awkward(random) : get_le(file + at, 4) + next(random) % 5 - 2, 4);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed)
{
    uint32_t random = seed;
    int known = size >= AT_CONFIG;
    if (known && next(&random) % 4 != 0) {
        for (uint32_t n = 1 + next(&random) % 3; n > 0; n--)
            replace_one(bytes, size, &random);
    } else {
        size = LLVMFuzzerMutate(bytes, size, max_size);
        if (size >= AT_CONFIG && next(&random) % 2)
            put_le(bytes + AT_FILE_BYTES, size, 8);
    }
    if (size >= AT_CONFIG && next(&random) % 8 != 0)
        file_seal(bytes, size);
    return size;
}

#ifdef FUZZ_MAIN

/* Without libFuzzer: runs the files it is given. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size)
{
    (void)bytes;
    (void)max_size;
    return size;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        static uint8_t bytes[1 << 20];
        FILE *file = fopen(argv[i], "rb");
        must(file != NULL, argv[i]);
        LLVMFuzzerTestOneInput(bytes, fread(bytes, 1, sizeof bytes, file));
        fclose(file);
    }
    printf("%d files\n", argc - 1);
    return 0;
}

#endif
