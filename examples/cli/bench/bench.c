/* bench.c - a model's speed beside the limits of the machine it runs on */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../support/open_model.h"
#include "bench_input.h"
#include "limits.h"

enum { PREFILL_STEPS = 512, STREAMS = 64, MAX_SAMPLES = 20000, OPENS = 7 };

#define SECONDS_A_PART 1.5

/* Everything the parts of a measurement share. */
typedef struct bench {
    b2s6_model *model;
    b2s6_model_info info;
    const b2s6_parallel *parallel;
    int32_t *tokens;      /* (PREFILL_STEPS) */
    float *features;      /* (PREFILL_STEPS, input size) */
    float *out;           /* (STREAMS, output size) */
    void *workspace;
    b2s6_run_options options;
    double *samples;      /* (MAX_SAMPLES) seconds */
} bench;

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Sorts the samples and returns the one below which a fraction of them lies. */
static double quantile(double *samples, size_t n, double fraction)
{
    qsort(samples, n, sizeof *samples, by_size);
    return samples[(size_t)(fraction * (double)(n - 1))];
}

static int prepare(bench *b, message *m)
{
    size_t work = b2s6_workspace_size(b->model, PREFILL_STEPS);
    int tokens = b->info.input_kind == B2S6_TOKENS;
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    b->tokens = tokens ? malloc(PREFILL_STEPS * sizeof *b->tokens) : NULL;
    b->features = tokens ? NULL : malloc(PREFILL_STEPS * (size_t)b->info.input_size * sizeof *b->features);
    b->out = malloc(STREAMS * (size_t)b->info.output_size * sizeof *b->out);
    b->samples = malloc(MAX_SAMPLES * sizeof *b->samples);
    if (work == SIZE_MAX || posix_memalign(&b->workspace, B2S6_ALIGNMENT, work) != 0)
        b->workspace = NULL;
    if (!b->out || !b->samples || !b->workspace || (!b->tokens && !b->features))
        return complain(m, "out of memory");
    bench_input(&b->info, PREFILL_STEPS, b->tokens, b->features);
    options.workspace = b->workspace;
    options.workspace_size = work;
    options.parallel = b->parallel;
    b->options = options;
    return 0;
}

/* Floats at b->out: a row for each stream of a batch; a run writes its last row alone. */
static size_t out_size(const bench *b)
{
    return STREAMS * (size_t)b->info.output_size;
}

static b2s6_status run_steps(bench *b, b2s6_state *state, size_t first, size_t n)
{
    if (b->tokens)
        return b2s6_run_tokens(state, b->tokens + first, n, b->out, out_size(b), &b->options);
    return b2s6_run_features(state, b->features + first * b->info.input_size, b->info.input_size, n, b->out, out_size(b),
                             &b->options);
}

/* Runs of n_steps steps for some seconds; returns how many samples there are. */
static size_t sample_runs(bench *b, b2s6_state *state, size_t n_steps, size_t at_least, message *m)
{
    double end = limits_now() + SECONDS_A_PART;
    size_t n = 0;
    b2s6_status status = run_steps(b, state, 0, n_steps); /* warms up */
    while (status == B2S6_OK && n < MAX_SAMPLES && (n < at_least || limits_now() < end)) {
        double begin = limits_now();
        status = run_steps(b, state, n * n_steps % PREFILL_STEPS, n_steps);
        b->samples[n++] = limits_now() - begin;
    }
    if (status == B2S6_OK)
        return n;
    complain(m, "%s", b2s6_status_text(status));
    return 0;
}

/* Bytes a step reads: the file's data, but of an embedding that is not the head one row only; with q4 that is q8. */
static double bytes_a_step(const b2s6_model_info *i)
{
    static const double bytes_a_weight[] = { 4, 4, 2, 1 + 2.0 / 64, 1 + 2.0 / 64 };
    double bytes = (double)i->file_size;
    if (i->input_kind == B2S6_TOKENS && !i->head_tied)
        bytes -= bytes_a_weight[i->weight_type] * i->input_size * i->d_model;
    return bytes;
}

/* Multiply-adds of the matrices a step of a long run takes: all weights but embedding and head, whose one row is spread. */
static double flops_a_step(const b2s6_model_info *i)
{
    double weights = (double)i->parameter_count;
    if (i->input_kind == B2S6_TOKENS)
        weights -= (double)i->input_size * i->d_model;
    if (!i->head_tied)
        weights -= (double)i->head_size * i->d_model;
    return 2.0 * weights;
}

static int measure_stream(bench *b, bench_result *r, message *m)
{
    b2s6_state *state;
    size_t n = 0;
    if (b2s6_state_create(&state, b->model, NULL) != B2S6_OK)
        return complain(m, "out of memory");
    if (!b->info.bidirectional) {
        n = sample_runs(b, state, 1, 30, m);
        if (n == 0) {
            b2s6_state_destroy(state);
            return -1;
        }
        r->step_us_p99 = 1e6 * quantile(b->samples, n, 0.99);
        r->step_us_median = 1e6 * quantile(b->samples, n, 0.5);
        r->decode_tps = 1e6 / r->step_us_median;
        r->decode_fraction = r->decode_tps * bytes_a_step(&b->info) / (1e9 * r->decode_limit_gbs);
    }
    b->options.flags = B2S6_RUN_LAST;
    if ((n = sample_runs(b, state, PREFILL_STEPS, 5, m)) != 0) {
        r->prefill_tps = PREFILL_STEPS / quantile(b->samples, n, 0.5);
        r->prefill_fraction = r->prefill_tps * flops_a_step(&b->info) / (1e9 * r->multiply_gops);
    }
    b->options.flags = 0;
    b2s6_state_destroy(state);
    return n ? 0 : -1;
}

static b2s6_status step_batch(bench *b, b2s6_state **states, size_t i)
{
    size_t first = i * STREAMS % PREFILL_STEPS;
    if (b->tokens)
        return b2s6_batch_tokens(states, STREAMS, b->tokens + first, b->out, out_size(b), &b->options);
    return b2s6_batch_features(states, STREAMS, b->features + first * b->info.input_size, b->info.input_size, b->out,
                               out_size(b), &b->options);
}

static int measure_batch(bench *b, bench_result *r, message *m)
{
    b2s6_state *states[STREAMS] = { NULL };
    b2s6_status status = B2S6_OK;
    double end = 0;
    size_t n = 0;
    for (size_t i = 0; i < STREAMS && status == B2S6_OK; i++)
        status = b2s6_state_create(&states[i], b->model, NULL);
    for (size_t i = 0; status == B2S6_OK && n < MAX_SAMPLES && (n < 4 || limits_now() < end); i++) {
        double begin = limits_now();
        status = step_batch(b, states, i);
        if (i == 0)
            end = limits_now() + SECONDS_A_PART; /* the first warms up */
        else
            b->samples[n++] = limits_now() - begin;
    }
    for (size_t i = 0; i < STREAMS; i++)
        b2s6_state_destroy(states[i]);
    if (status != B2S6_OK)
        return complain(m, "%s", b2s6_status_text(status));
    r->batch64_tps = STREAMS / quantile(b->samples, n, 0.5);
    return 0;
}

static int measure_open(const char *path, const b2s6_open_options *options, bench_result *r, message *m)
{
    double samples[OPENS];
    char why[400];
    message reason = { why, sizeof why };
    b2s6_model *model;
    for (size_t i = 0; i < OPENS; i++) {
        double begin = limits_now();
        if ((model = open_model(path, options, &reason)) == NULL)
            return complain(m, "%s: %s", path, why);
        samples[i] = limits_now() - begin;
        b2s6_model_close(model);
    }
    r->open_ms = 1e3 * quantile(samples, OPENS, 0.5);
    return 0;
}

/*
 * What the machine allows this model. A model that caches hold a part of is read faster than memory is, and integers are
 * multiplied faster than floats, so both have limits of their own.
 */
static void measure_limits(const bench *b, bench_result *r)
{
    const size_t far = limits_beyond_caches();
    const double bytes = bytes_a_step(&b->info);
    r->read_gbs = r->decode_limit_gbs = limits_read_gbs(b->parallel, r->threads, r->isa, far);
    if (bytes < (double)far) {
        const double rate = limits_read_gbs(b->parallel, r->threads, r->isa, (size_t)bytes);
        r->decode_limit_gbs = rate > r->read_gbs ? rate : r->read_gbs;
    }
    r->fma_gflops = r->multiply_gops = limits_fma_gflops(b->parallel, r->threads, r->isa);
    if (r->type == B2S6_Q8 || r->type == B2S6_Q4) {
        const double rate = limits_integer_gops(b->parallel, r->threads, r->isa);
        r->multiply_gops = rate > r->fma_gflops ? rate : r->fma_gflops;
    }
}

int bench_model(const char *path, const b2s6_parallel *parallel, size_t n_threads, const char *isa, bench_result *r, message *m)
{
    b2s6_open_options options = B2S6_OPEN_OPTIONS;
    b2s6_error error;
    int status;
    bench b;
    memset(&b, 0, sizeof b);
    memset(r, 0, sizeof *r);
    options.isa = isa;
    if (measure_open(path, &options, r, m) != 0)
        return -1;
    if (b2s6_model_open_file(&b.model, path, &options, &error) != B2S6_OK)
        return complain(m, "%s: %s", path, error.message);
    b.info.struct_size = sizeof b.info;
    b2s6_model_describe(b.model, &b.info);
    b.parallel = parallel;
    r->threads = n_threads;
    r->isa = b2s6_model_isa(b.model);
    r->type = b.info.weight_type;
    r->state_bytes = (double)b2s6_state_size(b.model);
    measure_limits(&b, r);
    status = prepare(&b, m);
    if (status == 0)
        status = measure_stream(&b, r, m);
    if (status == 0 && !b.info.bidirectional)
        status = measure_batch(&b, r, m);
    free(b.tokens);
    free(b.features);
    free(b.out);
    free(b.samples);
    free(b.workspace);
    b2s6_model_close(b.model);
    return status;
}
