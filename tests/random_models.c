/*
 * random_models.c - random models as files, with input and the float64 answer of the reference, for other readers of the format
 *
 *     random_models FOLDER N     writes 0.b2s6, 0-inputs.npy, 0-outputs.npy and so on to N - 1; no code of the library takes part
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "generate.h"
#include "reference.h"
#include "subjects.h"
#include "test.h"

static const char *folder;
static uint64_t n_models;

/* An array (rows, cols), or (rows) if cols is 0, of four bytes a value: type is "<i4" or "<f4". */
static void write_npy(const char *name, const char *type, const void *values, size_t rows, size_t cols)
{
    const size_t size = 4 * rows * (cols ? cols : 1);
    unsigned char *file = (unsigned char *)calloc(1, 128 + size);
    int n;
    CHECK(file != NULL);
    memcpy(file, "\x93NUMPY\1\0\x76\0", 10); /* a header of 118 bytes ends at 128 */
    memset(file + 10, ' ', 117);
    file[127] = '\n';
    n = cols ? snprintf((char *)file + 10, 118, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %zu), }", type, rows, cols)
             : snprintf((char *)file + 10, 118, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,), }", type, rows);
    file[10 + n] = ' ';
    for (size_t i = 0; i < size / 4; i++) {
        uint32_t bits;
        memcpy(&bits, (const unsigned char *)values + 4 * i, 4);
        for (int k = 0; k < 4; k++)
            file[128 + 4 * i + (size_t)k] = (unsigned char)(bits >> 8 * k);
    }
    CHECK(write_file(folder, name, file, 128 + size));
    free(file);
}

static void write_model(uint64_t seed)
{
    random_source random = { ~seed };
    trained_model model;
    model_input input;
    unsigned char *file;
    char name[40];
    size_t size, count;
    double *expected;
    float *outputs;
    generate_model(&model, seed);
    generate_input(&input, &model.config, 12, &random);
    count = input.n_steps * output_width(&model.config);
    expected = (double *)calloc(count, sizeof *expected);
    outputs = (float *)calloc(count, sizeof *outputs);
    CHECK(expected != NULL && outputs != NULL);
    reference_run(&model, input.tokens, input.features, input.n_steps, NULL, expected);
    for (size_t i = 0; i < count; i++)
        outputs[i] = (float)expected[i];
    file = convert_trained(&model, &size);
    snprintf(name, sizeof name, "%d.b2s6", (int)seed);
    CHECK(write_file(folder, name, file, size));
    snprintf(name, sizeof name, "%d-inputs.npy", (int)seed);
    if (model.config.input_kind == B2S6_TOKENS)
        write_npy(name, "<i4", input.tokens, input.n_steps, 0);
    else
        write_npy(name, "<f4", input.features, input.n_steps, model.config.input_size);
    snprintf(name, sizeof name, "%d-outputs.npy", (int)seed);
    write_npy(name, "<f4", outputs, input.n_steps, output_width(&model.config));
    free(file);
    free(expected);
    free(outputs);
    input_free(&input);
    trained_free(&model);
}

static void write_models(void)
{
    for (uint64_t seed = 0; seed < n_models; seed++)
        write_model(seed);
}

static const test tests[] = { TEST(write_models) };
static const test_suite suite = TEST_SUITE("random_models", tests);

int main(int argc, char **argv)
{
    const test_suite *const suites[] = { &suite };
    if (argc != 3) {
        fprintf(stderr, "usage: %s FOLDER N\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    n_models = strtoul(argv[2], NULL, 10);
    return test_run(suites, 1, NULL);
}
