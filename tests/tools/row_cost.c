/*
 * row_cost.c - a step, and after it what is done with its row of logits, in turns, so that a busy machine slows both
 *
 *     cc -std=c99 -O2 -I. tests/tools/row_cost.c build/libb2s6.a -lm -o row_cost
 *     ./row_cost examples/models/bytes.b2s6 [MODEL.b2s6 ...]
 *
 * Microseconds, and the fraction of a step, medians of pairs. The helpers are to take less than a tenth of a step of the
 * shipped model of bytes, and drawing less than a twentieth of one of a model in the shape of Mamba-130M; a model that misses
 * the tenth makes the exit status 1.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "b2s6.h"

enum { PAIRS = 201, N_WAYS = 5 };

static const char *const ways[N_WAYS] = { "log-probability", "temperature 0.8", "and top-k 40", "and top-p 0.95",
                                          "temperature 0" };

/* What way i does with a row, the next token to *token. */
static b2s6_status use_row(int way, const float *row, size_t n, int32_t *token, uint64_t *generator, uint32_t *scratch)
{
    b2s6_sampling how = B2S6_SAMPLING;
    how.temperature = way == 4 ? 0.0f : 0.8f;
    how.top_k = way == 2 ? 40 : 0;
    how.top_p = way == 3 ? 0.95f : 1.0f;
    if (way > 0)
        return b2s6_sample(token, row, n, &how, generator, scratch);
    *token = b2s6_log_probability(row, n, *token) < -20 ? 0 : (*token + 1) % (int32_t)n;
    return B2S6_OK;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* 0, -1, or 1 if it takes a tenth of a step. */
static int measure(b2s6_state *state, int way, float *row, size_t n, uint32_t *scratch)
{
    double step[PAIRS], use[PAIRS], part[PAIRS];
    uint64_t generator = 1;
    int32_t token = 0;
    for (int i = 0; i < PAIRS; i++) {
        const double begin = seconds_now();
        double middle;
        if (b2s6_step_token(state, token, row, n) != B2S6_OK)
            return -1;
        middle = seconds_now();
        if (use_row(way, row, n, &token, &generator, scratch) != B2S6_OK)
            return -1;
        use[i] = seconds_now() - middle;
        step[i] = middle - begin;
        part[i] = use[i] / step[i];
    }
    qsort(step, PAIRS, sizeof step[0], ascending);
    qsort(use, PAIRS, sizeof use[0], ascending);
    qsort(part, PAIRS, sizeof part[0], ascending);
    printf("  %-16s %8.1f us after a step of %8.1f us: %5.2f %%\n", ways[way], 1e6 * use[PAIRS / 2],
            1e6 * step[PAIRS / 2], 100 * part[PAIRS / 2]);
    return part[PAIRS / 2] >= 0.1;
}

static int measure_model(const b2s6_model *model)
{
    b2s6_model_info info;
    b2s6_state *state = NULL;
    float *row;
    uint32_t *scratch;
    int failed;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    b2s6_model_describe(model, &info);
    if (info.input_kind != B2S6_TOKENS || info.output_size != info.input_size || info.bidirectional)
        return -1;
    row = malloc(info.output_size * sizeof *row);
    scratch = malloc(info.output_size * sizeof *scratch);
    failed = !row || !scratch || b2s6_state_create(&state, model, NULL) != B2S6_OK;
    for (int way = 0; way < N_WAYS && !failed; way++)
        failed = measure(state, way, row, info.output_size, scratch);
    b2s6_state_destroy(state);
    free(row);
    free(scratch);
    return failed;
}

int main(int argc, char **argv)
{
    int status = argc < 2;
    for (int i = 1; i < argc; i++) {
        b2s6_model *model;
        b2s6_error error;
        int result;
        if (b2s6_model_open_file(&model, argv[i], NULL, &error) != B2S6_OK) {
            fprintf(stderr, "row_cost: %s: %s\n", argv[i], error.message);
            return 1;
        }
        printf("%s\n", argv[i]);
        result = measure_model(model);
        if (result < 0)
            fprintf(stderr, "row_cost: %s: no model that predicts tokens step by step\n", argv[i]);
        status |= result != 0;
        b2s6_model_close(model);
    }
    return status;
}
