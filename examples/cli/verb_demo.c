/* verb_demo.c - b2s6 demo: a model reads handwritten digits pixel by pixel while its belief forms in the terminal */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "demo_screen.h"
#include "support/cli.h"
#include "support/file_bytes.h"

static const char help[] =
    "usage: b2s6 demo MODEL.b2s6 DATA.bin\n"
    "\n"
    "Streams handwritten digits through a model, one pixel a step, and draws each digit as it is read with\n"
    "the model's belief after every row. Ends with the accuracy over all digits and the time of a step.\n"
    "docs/models.md describes DATA.bin.\n";

enum { SIDE = 8, PIXELS = SIDE * SIDE, CLASSES = 10, HEADER = 28, SHOWN = 5, MICROSECONDS_A_PIXEL = 12000 };

/* The test set: every image 64 values from 0 to 16, row by row. */
typedef struct digits {
    file_bytes file;
    size_t count;
    const unsigned char *pixels;  /* (count, 8, 8) */
    const unsigned char *labels;  /* (count) */
} digits;

static uint32_t load_u32(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static int check_digits(digits *d, const char *path)
{
    static const uint32_t expected[] = { SIDE, SIDE, CLASSES };
    const unsigned char *bytes = d->file.bytes;
    if (d->file.size < HEADER || memcmp(bytes, "B2S6DIGT", 8) != 0 || load_u32(bytes + 8) != 1)
        return cli_fail("%s: not a file of digits", path);
    for (size_t i = 0; i < 3; i++)
        if (load_u32(bytes + 16 + 4 * i) != expected[i])
            return cli_fail("%s: digits of 8 x 8 pixels in 10 classes are needed", path);
    d->count = load_u32(bytes + 12);
    if (d->count == 0 || (d->file.size - HEADER) / (PIXELS + 1) != d->count || (d->file.size - HEADER) % (PIXELS + 1) != 0)
        return cli_fail("%s: the size does not fit the number of digits", path);
    d->pixels = bytes + HEADER;
    d->labels = d->pixels + PIXELS * d->count;
    for (size_t i = 0; i < PIXELS * d->count; i++)
        if (d->pixels[i] > 16)
            return cli_fail("%s: a pixel above 16", path);
    for (size_t i = 0; i < d->count; i++)
        if (d->labels[i] >= CLASSES)
            return cli_fail("%s: a label above 9", path);
    return 0;
}

static int check_model(const b2s6_model *model, const char *path)
{
    b2s6_model_info info;
    info.struct_size = sizeof info;
    b2s6_model_describe(model, &info);
    if (info.input_kind != B2S6_FEATURES || info.input_size != 1 || info.output_size != CLASSES || info.bidirectional)
        return cli_fail("%s: not a model of digits: one feature in, ten values out, causal", path);
    return 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Scores as probabilities. */
static void softmax(const float scores[CLASSES], double belief[CLASSES])
{
    double top = scores[0], sum = 0;
    for (int c = 1; c < CLASSES; c++)
        top = fmax(top, scores[c]);
    for (int c = 0; c < CLASSES; c++)
        sum += belief[c] = exp(scores[c] - top);
    for (int c = 0; c < CLASSES; c++)
        belief[c] /= sum;
}

static int largest(const float scores[CLASSES])
{
    int best = 0;
    for (int c = 1; c < CLASSES; c++)
        if (scores[c] > scores[best])
            best = c;
    return best;
}

static b2s6_status read_pixel(b2s6_state *state, unsigned char pixel, float scores[CLASSES])
{
    float feature = (float)pixel / 16.0f;
    return b2s6_step_features(state, &feature, 1, scores, 10);
}

/* One digit on the screen; where the terminal allows it the line grows with every pixel. */
static b2s6_status show_digit(const screen *s, b2s6_state *state, const unsigned char *pixels, int label)
{
    float scores[CLASSES];
    double belief[CLASSES];
    b2s6_state_reset(state);
    screen_title(s, label);
    for (int i = 0; i < PIXELS; i++) {
        const unsigned char *row = pixels + i / SIDE * SIDE;
        int read = i % SIDE + 1;
        b2s6_status status = read_pixel(state, pixels[i], scores);
        if (status != B2S6_OK)
            return status;
        if (!s->moves && read < SIDE)
            continue;
        softmax(scores, belief);
        screen_row(s, row, read, belief, label);
        if (s->moves)
            screen_pause(MICROSECONDS_A_PIXEL);
    }
    screen_verdict(s, largest(scores), belief[largest(scores)], label);
    return B2S6_OK;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What a pass over all digits gives. */
typedef struct result {
    size_t right;
    size_t wrong;   /* a digit that was not recognised; count if there is none */
    double median;  /* seconds a step takes */
} result;

/* All digits, every step on the clock. seconds (count, 64) is scratch. */
static b2s6_status measure(b2s6_state *state, const digits *d, double *seconds, result *r)
{
    float scores[CLASSES] = { 0 };
    r->right = 0;
    r->wrong = d->count;
    for (size_t i = 0; i < d->count; i++) {
        b2s6_state_reset(state);
        for (size_t k = 0; k < PIXELS; k++) {
            double begin = now();
            b2s6_status status = read_pixel(state, d->pixels[i * PIXELS + k], scores);
            if (status != B2S6_OK)
                return status;
            seconds[i * PIXELS + k] = now() - begin;
        }
        if (largest(scores) == d->labels[i])
            r->right++;
        else if (r->wrong == d->count)
            r->wrong = i;
    }
    qsort(seconds, PIXELS * d->count, sizeof *seconds, by_value);
    r->median = seconds[PIXELS * d->count / 2];
    return B2S6_OK;
}

/* Some digits from all over the set, and one that the model gets wrong. */
static b2s6_status show_some(b2s6_state *state, const digits *d, size_t wrong)
{
    screen s = screen_open(CLASSES, SIDE);
    size_t shown = d->count < SHOWN ? d->count : SHOWN;
    b2s6_status status = B2S6_OK;
    for (size_t i = 0; i < shown && status == B2S6_OK; i++) {
        size_t index = i * d->count / shown;
        status = show_digit(&s, state, d->pixels + index * PIXELS, d->labels[index]);
    }
    if (wrong < d->count && status == B2S6_OK)
        status = show_digit(&s, state, d->pixels + wrong * PIXELS, d->labels[wrong]);
    return status;
}

static int play(b2s6_state *state, const digits *d)
{
    double *seconds = malloc(PIXELS * d->count * sizeof *seconds);
    result r = { 0, 0, 0 };
    b2s6_status status;
    if (!seconds)
        return cli_fail("out of memory");
    printf("Handwritten digits, 8 x 8 pixels. The model reads one pixel a step; each line\n"
           "shows a row of pixels and the belief after it.\n\n");
    status = measure(state, d, seconds, &r);
    if (status == B2S6_OK)
        status = show_some(state, d, r.wrong);
    free(seconds);
    if (status != B2S6_OK)
        return cli_fail("%s", b2s6_status_text(status));
    printf("All %zu test digits: %zu recognised, %.1f %%.\n", d->count, r.right, 100.0 * (double)r.right / (double)d->count);
    printf("A step takes %.2f microseconds (median), the state of a stream %zu bytes.\n", 1e6 * r.median,
           b2s6_state_size(b2s6_state_model(state)));
    return 0;
}

static int run_model(const b2s6_model *model, const char *path, const digits *d)
{
    b2s6_state *state;
    int status = check_model(model, path);
    if (status != 0)
        return status;
    if (b2s6_state_create(&state, model, NULL) != B2S6_OK)
        return cli_fail("out of memory");
    status = play(state, d);
    b2s6_state_destroy(state);
    return status;
}

static int run(int argc, char **argv)
{
    const char *operands[2];
    char text[200];
    message m = { text, sizeof text };
    digits d;
    b2s6_model *model;
    int status = cli_parse(&verb_demo, argc, argv, NULL, 0, operands, 2);
    if (status != 0)
        return status;
    if (file_bytes_read(&d.file, operands[1], &m) != 0)
        return cli_fail("%s: %s", operands[1], text);
    status = check_digits(&d, operands[1]);
    if (status == 0) {
        model = cli_open_model(operands[0]);
        status = model ? run_model(model, operands[0], &d) : CLI_FAILED;
        b2s6_model_close(model);
    }
    file_bytes_release(&d.file);
    return status;
}

const cli_verb verb_demo = { "demo", "watch a model read handwritten digits pixel by pixel", help, run };
