/*
 * host.c - a program that uses the whole library, compiled with one version of the header (-DB2S6_HEADER) and run with another
 * version of the library
 *
 *     host MODEL       a model of one feature a step; prints what it is and what it answers, as bits
 *
 * -DOLDER: the header lacks the last members of the structures that grow. -DNEWER: it has further ones, `later`.
 */
#include B2S6_HEADER

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 50, STREAMS = 3, WIDTH = 64, CANARY = 64 };

#define MUST(call) must(call, #call)
static void must(b2s6_status status, const char *call)
{
    if (status == B2S6_OK)
        return;
    printf("%s: %s\n", call, b2s6_status_text(status));
    exit(1);
}

static void print_rows(const char *name, const float *rows, size_t n, size_t width)
{
    uint64_t hash = 14695981039346656037u;
    uint32_t bits;
    for (size_t i = 0; i < n * width; i++) {
        memcpy(&bits, rows + i, sizeof bits);
        hash = (hash ^ bits) * 1099511628211u;
    }
    printf("%s %016" PRIx64 "\n", name, hash);
}

static float *features(void)
{
    static float x[STEPS + STREAMS];
    for (int i = 0; i < STEPS + STREAMS; i++)
        x[i] = (float)(i * 5 % 17) * 0.0625f;
    return x;
}

/* What the model is, into a structure of this header's size amid bytes that nobody may touch. */
static void describe(const b2s6_model *model)
{
    union { b2s6_model_info info; unsigned char bytes[sizeof(b2s6_model_info) + CANARY]; } u;
    memset(u.bytes, 0xA5, sizeof u.bytes);
    u.info.struct_size = sizeof u.info;
    MUST(b2s6_model_describe(model, &u.info));
    for (size_t i = sizeof u.info; i < sizeof u.bytes; i++)
        if (u.bytes[i] != 0xA5)
            printf("byte %zu after the structure was written\n", i - sizeof u.info);
    printf("fingerprint %016" PRIx64 ", %u features, %u outputs, arithmetic %u\n", u.info.fingerprint, u.info.input_size,
           u.info.output_size, u.info.arithmetic);
    if (u.info.struct_size != sizeof u.info || u.info.output_size > WIDTH || u.info.d_model > WIDTH)
        printf("another structure than this program's\n");
#ifdef NEWER
    for (size_t i = 0; i < sizeof u.info.later / sizeof u.info.later[0]; i++)
        if (u.info.later[i] != 0)
            printf("a member that the library does not know is not 0\n");
#endif
}

/* The same for every layer. */
static void describe_layers(const b2s6_model *model, uint32_t n_layers)
{
    union { b2s6_layer_info info; unsigned char bytes[sizeof(b2s6_layer_info) + CANARY]; } u;
    for (uint32_t l = 0; l < n_layers; l++) {
        memset(u.bytes, 0xA5, sizeof u.bytes);
        u.info.struct_size = sizeof u.info;
        MUST(b2s6_layer_describe(model, l, &u.info));
        for (size_t i = sizeof u.info; i < sizeof u.bytes; i++)
            if (u.bytes[i] != 0xA5)
                printf("byte %zu after the structure was written\n", i - sizeof u.info);
        printf("layer %u: block %d, h %u, d_state %u, conjugate %u\n", l, (int)u.info.block, u.info.h, u.info.d_state, u.info.conjugate);
    }
    if (b2s6_layer_describe(model, n_layers, &u.info) != B2S6_ERROR_ARGUMENT)
        printf("a layer that is not there was described\n");
}

static b2s6_model *open_model(const char *path)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_model *model;
    b2s6_error error;
    options.flags = B2S6_OPEN_VERIFY;
#ifndef OLDER
    options.isa = "portable";
#endif
    MUST(b2s6_model_open_file(&model, path, &options, &error));
#ifdef NEWER
    b2s6_model_close(model);
    options.later[1] = 1; /* something that this library cannot do: it says so */
    if (b2s6_model_open_file(&model, path, &options, &error) != B2S6_ERROR_ARGUMENT || model)
        printf("a wish from the future was not refused\n");
    options.later[1] = 0;
    MUST(b2s6_model_open_file(&model, path, &options, &error));
#endif
    return model;
}

static void one_after_another(void *user, size_t n_tasks, void (*task)(void *context, size_t index), void *context)
{
    ++*(size_t *)user;
    for (size_t i = 0; i < n_tasks; i++)
        task(context, i);
}

static void run(const b2s6_model *model, size_t width, size_t d_model)
{
    static float out[STEPS * WIDTH];
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    b2s6_state *state;
    size_t calls = 0;
    b2s6_parallel parallel = { NULL, 2, 1, one_after_another };
    parallel.user = &calls;
    options.parallel = &parallel;
    options.workspace_size = b2s6_workspace_size(model, STEPS);
    if (posix_memalign(&options.workspace, B2S6_ALIGNMENT, options.workspace_size) != 0)
        exit(1);
    MUST(b2s6_state_create(&state, model, NULL));
    MUST(b2s6_run_features(state, features(), 1, STEPS, out, STEPS * WIDTH, &options));
    print_rows("run", out, STEPS, width);
    options.flags = B2S6_RUN_LAST | B2S6_RUN_HIDDEN;
    MUST(b2s6_run_features(state, features(), 1, STEPS, out, STEPS * WIDTH, &options));
    print_rows("hidden", out, 1, d_model);
    if (calls == 0)
        printf("the parallel-for was not called\n");
#ifdef NEWER
    options.later[2] = 1;
    if (b2s6_run_features(state, features(), 1, STEPS, out, STEPS * WIDTH, &options) != B2S6_ERROR_ARGUMENT)
        printf("a wish from the future was not refused\n");
#endif
    b2s6_state_destroy(state);
    free(options.workspace);
}

/* Streams in memory of the program's own, a batch of them, and one that travels. */
static void stream(const b2s6_model *model, size_t width)
{
    static float out[STREAMS * WIDTH];
    const size_t size = b2s6_state_size(model), snapshot_size = b2s6_snapshot_size(model);
    unsigned char *snapshot = malloc(snapshot_size);
    b2s6_state *states[STREAMS];
    void *memory[STREAMS];
    if (!snapshot)
        exit(1);
    for (int i = 0; i < STREAMS; i++) {
        if (posix_memalign(&memory[i], B2S6_ALIGNMENT, size) != 0)
            exit(1);
        MUST(b2s6_state_place(&states[i], model, memory[i], size));
        for (int k = 0; k < i; k++)
            MUST(b2s6_step_features(states[i], features() + k, 1, NULL, 0));
    }
    MUST(b2s6_batch_features(states, STREAMS, features(), 1, out, STREAMS * WIDTH, NULL));
    print_rows("batch", out, STREAMS, width);
    MUST(b2s6_state_save(states[2], snapshot, snapshot_size));
    MUST(b2s6_state_restore(states[0], snapshot, snapshot_size));
    MUST(b2s6_state_copy(states[1], states[0]));
    MUST(b2s6_step_features(states[1], features() + 9, 1, out, WIDTH));
    print_rows("step", out, 1, width);
    printf("steps %" PRIu64 ", states of %zu bytes\n", b2s6_state_steps(states[1]), size);
    MUST(b2s6_state_reset(states[1]));
    for (int i = 0; i < STREAMS; i++) {
        b2s6_state_destroy(states[i]);
        free(memory[i]);
    }
    free(snapshot);
}

int main(int argc, char **argv)
{
    b2s6_model *model = open_model(argc > 1 ? argv[1] : "");
    b2s6_model_info info;
    MUST(b2s6_self_test());
    info.struct_size = sizeof info;
    MUST(b2s6_model_describe(model, &info));
    describe(model);
    describe_layers(model, info.n_layers);
    run(model, info.output_size, info.d_model);
    stream(model, info.output_size);
    printf("source %s\n", b2s6_model_metadata(model, "source"));
    b2s6_model_close(model);
    printf("parts %x\n", (unsigned)(b2s6_parts() & (B2S6_PART_S4 | B2S6_PART_MAMBA | B2S6_PART_FILES)));
    return b2s6_version() < B2S6_VERSION;
}
