/*
 * step_cost.c - what a step costs over a long stream, and with numbers that processors may be slow with
 *
 *     cc -O2 -std=c99 -I. tests/tools/step_cost.c build/libb2s6.a -lm -o step_cost && ./step_cost examples/models/digits.b2s6
 *
 * For a model of features. Prints the median of 20 windows of 1,000 steps each, in nanoseconds a step.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "b2s6.h"

enum { WINDOW = 1000, WINDOWS = 20, MAX_WIDTH = 1024 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Steps on, each feature of step i being size times a number between -1 and 1. */
static void go(b2s6_state *state, size_t width, float size, size_t n_steps, float *out)
{
    static unsigned x = 1;
    float features[MAX_WIDTH];
    for (size_t i = 0; i < n_steps; i++) {
        for (size_t k = 0; k < width; k++) {
            x = x * 1664525u + 1013904223u;
            features[k] = size * ((float)(x >> 8) * 0x1p-23f - 1.0f);
        }
        if (b2s6_step_features(state, features, width, out, SIZE_MAX) != B2S6_OK) {
            fprintf(stderr, "step_cost: a step failed\n");
            exit(1);
        }
    }
}

static double cost(b2s6_state *state, size_t width, float size, float *out)
{
    double samples[WINDOWS];
    for (int i = 0; i < WINDOWS; i++) {
        double begin = now();
        go(state, width, size, WINDOW, out);
        samples[i] = (now() - begin) / WINDOW;
    }
    qsort(samples, WINDOWS, sizeof samples[0], by_size);
    return 1e9 * samples[WINDOWS / 2];
}

int main(int argc, char **argv)
{
    static const struct { const char *name; float size; } inputs[] = {
        { "between -1 and 1", 1.0f }, { "zeros", 0.0f }, { "subnormal, 1e-40", 1e-40f }, { "tiny, 1e-30", 1e-30f },
        { "huge, 1e10", 1e10f }, { "huge, 1e30", 1e30f },
    };
    b2s6_model *model;
    b2s6_state *state;
    b2s6_error error;
    b2s6_model_info info = { .struct_size = sizeof info };
    if (argc != 2 || b2s6_model_open_file(&model, argv[1], NULL, &error) != B2S6_OK)
        return fprintf(stderr, "step_cost: %s\n", argc == 2 ? error.message : "usage: step_cost MODEL.b2s6"), 2;
    b2s6_model_describe(model, &info);
    float *out = malloc(info.output_size * sizeof *out);
    if (!out || b2s6_state_create(&state, model, NULL) != B2S6_OK || info.input_kind != B2S6_FEATURES || info.input_size > MAX_WIDTH)
        return fprintf(stderr, "step_cost: a model of at most %d features is wanted\n", MAX_WIDTH), 2;
    go(state, info.input_size, 1.0f, 1, out);
    printf("from step           1   %8.0f ns a step, state %zu bytes\n", cost(state, info.input_size, 1.0f, out),
           b2s6_state_size(model));
    go(state, info.input_size, 1.0f, 980000, out);
    printf("around step 1,000,000   %8.0f ns a step, state %zu bytes\n", cost(state, info.input_size, 1.0f, out),
           b2s6_state_size(model));
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        b2s6_state_reset(state);
        go(state, info.input_size, inputs[i].size, 20000, out); /* until the state has taken it up */
        printf("%-21s   %8.0f ns a step\n", inputs[i].name, cost(state, info.input_size, inputs[i].size, out));
    }
    b2s6_state_destroy(state);
    b2s6_model_close(model);
    free(out);
    return 0;
}
