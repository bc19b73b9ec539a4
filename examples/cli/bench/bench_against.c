/*
 * bench_against.c - two builds of the library, timed pair by pair
 *
 * A busy machine, or one whose clock changes, makes times of two programs incomparable. Two runs of some milliseconds, one right
 * after the other, meet the same conditions mostly; the ratio of their times is little disturbed, and the median of many such
 * ratios hardly at all. The order changes with every pair, so that neither build has the better place.
 */
#define _GNU_SOURCE /* RTLD_DEEPBIND */
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_input.h"
#include "limits.h"

enum { STEPS = 512, STREAMS = 64, PAIRS_MOST = 201, PAIRS_LEAST = 15 };

#define SECONDS_A_RUN 0.005
#define SECONDS_A_PART 4.0

/* Of the other library's own functions, not of this program's, where the two could be taken for each other. */
#if defined(RTLD_DEEPBIND) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LOADING (RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND)
#else
#define LOADING (RTLD_NOW | RTLD_LOCAL)
#endif

/* What is called of a build. */
typedef struct library {
    const char *(*version_text)(void);
    uint32_t (*version)(void);
    b2s6_status (*open_file)(b2s6_model **, const char *, const b2s6_open_options *, b2s6_error *);
    void (*close)(b2s6_model *);
    b2s6_status (*state_create)(b2s6_state **, const b2s6_model *, const b2s6_allocator *);
    void (*state_destroy)(b2s6_state *);
    size_t (*workspace_size)(const b2s6_model *, size_t);
    b2s6_status (*run_tokens)(b2s6_state *, const int32_t *, size_t, float *, size_t, const b2s6_run_options *);
    b2s6_status (*run_features)(b2s6_state *, const float *, size_t, size_t, float *, size_t, const b2s6_run_options *);
    b2s6_status (*batch_tokens)(b2s6_state *const *, size_t, const int32_t *, float *, size_t, const b2s6_run_options *);
    b2s6_status (*batch_features)(b2s6_state *const *, size_t, const float *, size_t, float *, size_t, const b2s6_run_options *);
} library;

/* One build at work. */
typedef struct side {
    library call;
    b2s6_model *model;
    b2s6_state *states[STREAMS];
    void *workspace;
    float *out; /* (STEPS or STREAMS, output size), the larger */
    b2s6_run_options options;
} side;

typedef struct contest {
    side sides[2]; /* this build, the other */
    void *handle;
    b2s6_model_info info;
    int32_t *tokens; /* (STEPS) */
    float *features; /* (STEPS, input size) */
} contest;

static void take_own(library *l)
{
    const library own = { b2s6_version_text, b2s6_version, b2s6_model_open_file, b2s6_model_close, b2s6_state_create, b2s6_state_destroy,
                          b2s6_workspace_size, b2s6_run_tokens, b2s6_run_features, b2s6_batch_tokens, b2s6_batch_features };
    *l = own;
}

/* A pointer to a function out of one to an object: C has no cast for it. */
static int take(void *handle, const char *name, void *function, size_t size, const char *path, message *m)
{
    void *symbol = dlsym(handle, name);
    if (!symbol)
        return complain(m, "%s has no %s: it is no libb2s6, or an older one than this", path, name);
    memcpy(function, &symbol, size);
    return 0;
}

static int load(contest *c, const char *path, message *m)
{
    library *l = &c->sides[1].call;
    char here[4096] = "./";
    if (!strchr(path, '/') && strlen(path) < sizeof here - 2) /* a file, not a name to look for */
        path = strcat(here, path);
    c->handle = dlopen(path, LOADING);
    if (!c->handle)
        return complain(m, "%s cannot be loaded: %s", path, dlerror());
    if (take(c->handle, "b2s6_version_text", &l->version_text, sizeof l->version_text, path, m) != 0 ||
        take(c->handle, "b2s6_version", &l->version, sizeof l->version, path, m) != 0)
        return -1;
    if (l->version() / 100 != b2s6_version() / 100) /* before 1.0 its calls may be others */
        return complain(m, "%s is version %s, this is %s: builds of one minor version can be compared", path, l->version_text(),
                        b2s6_version_text());
    return take(c->handle, "b2s6_model_open_file", &l->open_file, sizeof l->open_file, path, m) ||
           take(c->handle, "b2s6_model_close", &l->close, sizeof l->close, path, m) ||
           take(c->handle, "b2s6_state_create", &l->state_create, sizeof l->state_create, path, m) ||
           take(c->handle, "b2s6_state_destroy", &l->state_destroy, sizeof l->state_destroy, path, m) ||
           take(c->handle, "b2s6_workspace_size", &l->workspace_size, sizeof l->workspace_size, path, m) ||
           take(c->handle, "b2s6_run_tokens", &l->run_tokens, sizeof l->run_tokens, path, m) ||
           take(c->handle, "b2s6_run_features", &l->run_features, sizeof l->run_features, path, m) ||
           take(c->handle, "b2s6_batch_tokens", &l->batch_tokens, sizeof l->batch_tokens, path, m) ||
           take(c->handle, "b2s6_batch_features", &l->batch_features, sizeof l->batch_features, path, m)
               ? -1
               : 0;
}

static int prepare_side(contest *c, side *s, const char *path, const b2s6_parallel *parallel, const char *isa, message *m)
{
    const b2s6_run_options defaults = B2S6_RUN_OPTIONS;
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_error error;
    options.isa = isa;
    if (s->call.open_file(&s->model, path, &options, &error) != B2S6_OK)
        return complain(m, "%s: %s", path, error.message);
    if (s == c->sides) {
        c->info.struct_size = sizeof c->info;
        b2s6_model_describe(s->model, &c->info);
    }
    const size_t n_states = c->info.bidirectional ? 1 : STREAMS, size = s->call.workspace_size(s->model, STEPS);
    s->out = malloc(STEPS * (size_t)c->info.output_size * sizeof *s->out);
    if (size == SIZE_MAX || posix_memalign(&s->workspace, B2S6_ALIGNMENT, size) != 0)
        s->workspace = NULL;
    for (size_t i = 0; i < n_states; i++)
        if (s->call.state_create(&s->states[i], s->model, NULL) != B2S6_OK)
            return complain(m, "out of memory");
    if (!s->out || !s->workspace)
        return complain(m, "out of memory");
    s->options = defaults;
    s->options.workspace = s->workspace;
    s->options.workspace_size = size;
    s->options.parallel = parallel;
    return 0;
}

/* The parts of a contest. */
typedef enum part { SINGLE_STEPS, LONG_RUN, BATCH } part;

static b2s6_status do_part(const contest *c, side *s, part what)
{
    const library *l = &s->call;
    const size_t room = STEPS * (size_t)c->info.output_size;
    b2s6_status status = B2S6_OK;
    if (what == BATCH)
        return c->tokens ? l->batch_tokens(s->states, STREAMS, c->tokens, s->out, room, &s->options)
                         : l->batch_features(s->states, STREAMS, c->features, c->info.input_size, s->out, room, &s->options);
    const size_t n = what == LONG_RUN ? STEPS : 1;
    for (size_t i = 0; i < (what == LONG_RUN ? 1 : 16) && status == B2S6_OK; i++)
        status = c->tokens ? l->run_tokens(s->states[0], c->tokens + i, n, s->out, room, &s->options)
                           : l->run_features(s->states[0], c->features + i * c->info.input_size, c->info.input_size, n, s->out,
                                             room, &s->options);
    return status;
}

/* Seconds that some repetitions take; below 0: an error. */
static double time_part(const contest *c, side *s, part what, size_t repetitions)
{
    const double begin = limits_now();
    for (size_t i = 0; i < repetitions; i++)
        if (do_part(c, s, what) != B2S6_OK)
            return -1;
    return limits_now() - begin;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* One line of the table. steps: how many a repetition takes. */
static int compare(contest *c, part what, const char *name, double steps, FILE *out, message *m)
{
    double ratio[PAIRS_MOST], own[PAIRS_MOST], end, once;
    size_t n = 0, repetitions, low;
    /* warms up both, and alike, so that they stay at the same step of their streams */
    if (time_part(c, &c->sides[1], what, 2) < 0 || (once = time_part(c, &c->sides[0], what, 2) / 2) < 0)
        return complain(m, "a run failed");
    repetitions = once > SECONDS_A_RUN ? 1 : (size_t)(SECONDS_A_RUN / (once > 1e-7 ? once : 1e-7)) + 1;
    for (end = limits_now() + SECONDS_A_PART; n < PAIRS_MOST && (n < PAIRS_LEAST || limits_now() < end); n++) {
        double t[2];
        for (size_t k = 0; k < 2; k++) {
            const size_t which = (k + n) % 2;
            t[which] = time_part(c, &c->sides[which], what, repetitions);
            if (t[which] <= 0)
                return complain(m, "a run failed");
        }
        ratio[n] = t[1] / t[0];
        own[n] = 1e6 * t[0] / (steps * (double)repetitions);
    }
    qsort(ratio, n, sizeof *ratio, by_size);
    qsort(own, n, sizeof *own, by_size);
    low = (size_t)((double)n / 2 - 0.98 * sqrt((double)n));
    fprintf(out, "%-11s %10.2f us a step here, there %.3f times as long (%.3f to %.3f)%s\n", name, own[n / 2], ratio[n / 2],
            ratio[low], ratio[n - 1 - low],
            memcmp(c->sides[0].out, c->sides[1].out, c->info.output_size * sizeof(float)) ? "; the outputs differ" : "");
    return 0;
}

static void release(contest *c)
{
    for (size_t k = 0; k < 2; k++) {
        side *s = &c->sides[k];
        for (size_t i = 0; i < STREAMS; i++)
            if (s->states[i])
                s->call.state_destroy(s->states[i]);
        if (s->model)
            s->call.close(s->model);
        free(s->workspace);
        free(s->out);
    }
    free(c->tokens);
    free(c->features);
    if (c->handle)
        dlclose(c->handle);
}

static int hold(contest *c, const char *path, const char *other, const b2s6_parallel *parallel, const char *isa, FILE *out,
                message *m)
{
    take_own(&c->sides[0].call);
    if (load(c, other, m) != 0)
        return -1;
    for (size_t k = 0; k < 2; k++)
        if (prepare_side(c, &c->sides[k], path, parallel, isa, m) != 0)
            return -1;
    if (c->info.input_kind == B2S6_TOKENS)
        c->tokens = malloc(STEPS * sizeof *c->tokens);
    else
        c->features = malloc(STEPS * (size_t)c->info.input_size * sizeof *c->features);
    if (!c->tokens && !c->features)
        return complain(m, "out of memory");
    bench_input(&c->info, STEPS, c->tokens, c->features);
    fprintf(out, "here: version %s; there: version %s, %s; median of pairs, and where it lies with 95 %%\n",
            c->sides[0].call.version_text(), c->sides[1].call.version_text(), other);
    if (!c->info.bidirectional && compare(c, SINGLE_STEPS, "step", 16, out, m) != 0)
        return -1;
    if (compare(c, LONG_RUN, "512 steps", STEPS, out, m) != 0)
        return -1;
    return c->info.bidirectional ? 0 : compare(c, BATCH, "64 streams", STREAMS, out, m);
}

int bench_against(const char *path, const char *other, const b2s6_parallel *parallel, const char *isa, FILE *out, message *m)
{
    contest c;
    int status;
    memset(&c, 0, sizeof c);
    status = hold(&c, path, other, parallel, isa, out, m);
    release(&c);
    return status;
}
