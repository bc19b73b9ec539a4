/*
 * random_models.c - random models as files, with input and the float64 answer of the reference, for other readers of the
 * format
 *
 *     random_models FOLDER N     writes 0.b2s6, 0-inputs.npy, 0-outputs.npy and so on to N - 1, and as many of Mamba-2:
 *                                mamba2-0.b2s6, ...; no code of the library takes part
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "generate.h"
#include "mamba2.h"
#include "reference.h"
#include "subjects.h"
#include "test.h"

enum { N_STEPS = 12 };

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

/* NAME.b2s6, NAME-inputs.npy and NAME-outputs.npy; expected (n_steps, width). */
static void write_files(const char *name, const unsigned char *file, size_t size, const model_config *config,
                        const model_input *input, const double *expected, size_t width)
{
    const size_t count = input->n_steps * width;
    float *outputs = (float *)calloc(count, sizeof *outputs);
    char path[60];
    CHECK(outputs != NULL);
    for (size_t i = 0; i < count; i++)
        outputs[i] = (float)expected[i];
    snprintf(path, sizeof path, "%s.b2s6", name);
    CHECK(write_file(folder, path, file, size));
    snprintf(path, sizeof path, "%s-inputs.npy", name);
    if (config->input_kind == B2S6_TOKENS)
        write_npy(path, "<i4", input->tokens, input->n_steps, 0);
    else
        write_npy(path, "<f4", input->features, input->n_steps, config->input_size);
    snprintf(path, sizeof path, "%s-outputs.npy", name);
    write_npy(path, "<f4", outputs, input->n_steps, width);
    free(outputs);
}

static void write_model(uint64_t seed)
{
    random_source random = { ~seed };
    trained_model model;
    model_input input;
    unsigned char *file;
    char name[40];
    size_t size;
    double *expected;
    generate_model(&model, seed);
    generate_input(&input, &model.config, N_STEPS, &random);
    expected = (double *)calloc(N_STEPS * output_width(&model.config), sizeof *expected);
    CHECK(expected != NULL);
    reference_run(&model, input.tokens, input.features, N_STEPS, NULL, expected);
    file = convert_trained(&model, &size);
    snprintf(name, sizeof name, "%d", (int)seed);
    write_files(name, file, size, &model.config, &input, expected, output_width(&model.config));
    free(file);
    free(expected);
    input_free(&input);
    trained_free(&model);
}

static void write_mamba2(uint64_t seed)
{
    random_source random = { ~seed };
    mamba2_model model;
    model_input input;
    unsigned char *file;
    char name[40];
    size_t size;
    double *expected;
    mamba2_generate(&model, seed);
    generate_input(&input, &model.tensors.config, N_STEPS, &random);
    expected = (double *)calloc(N_STEPS * (size_t)mamba2_rows(&model.config), sizeof *expected);
    CHECK(expected != NULL);
    mamba2_reference(&model, input.tokens, N_STEPS, expected);
    file = mamba2_convert(&model, "f32", seed % 2 ? "plain" : "compensated", &size);
    snprintf(name, sizeof name, "mamba2-%d", (int)seed);
    write_files(name, file, size, &model.tensors.config, &input, expected, mamba2_rows(&model.config));
    free(file);
    free(expected);
    input_free(&input);
    mamba2_free(&model);
}

static void write_models(void)
{
    for (uint64_t seed = 0; seed < n_models; seed++) {
        write_model(seed);
        write_mamba2(seed);
    }
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
