/*
 * host.c - a complete host: numbers from standard input go through a model as they come, its answer goes out
 *
 *     cc host.c $(pkg-config --cflags --libs b2s6) -o host
 *     ./host digits.b2s6 < seven.txt
 */
#include <b2s6.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *reason)
{
    fprintf(stderr, "host: %s\n", reason);
    return EXIT_FAILURE;
}

/* The next n numbers: 1, or 0 at the end of the stream. */
static int next(float *sample, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (scanf("%f", &sample[i]) != 1)
            return 0;
    return 1;
}

int main(int argc, char **argv)
{
    b2s6_model *model;
    b2s6_state *state;
    b2s6_error error;
    b2s6_status status = B2S6_OK;
    b2s6_model_info info = { .struct_size = sizeof info };

    if (argc != 2)
        return fail("usage: host MODEL.b2s6 < numbers");
    if (b2s6_model_open_file(&model, argv[1], NULL, &error) != B2S6_OK)
        return fail(error.message);
    if (b2s6_state_create(&state, model, NULL) != B2S6_OK)
        return fail("out of memory");
    b2s6_model_describe(model, &info);
    float *sample = malloc(info.input_size * sizeof *sample);
    float *scores = calloc(info.output_size, sizeof *scores);
    if (!sample || !scores)
        return fail("out of memory");

    while (status == B2S6_OK && next(sample, info.input_size))
        status = b2s6_step_features(state, sample, info.input_size, scores, info.output_size);
    if (status != B2S6_OK || !feof(stdin))
        return fail(status != B2S6_OK ? b2s6_status_text(status) : "the input is not all numbers");

    for (size_t i = 0; i < info.output_size; i++)
        printf("%2zu %9.4f\n", i, scores[i]);
    free(sample);
    free(scores);
    b2s6_state_destroy(state);
    b2s6_model_close(model);
    return EXIT_SUCCESS;
}
