/* test_cases.c - the stored cases: converter and library against the float64 outputs */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "mamba2.h"
#include "reference.h"
#include "subjects.h"
#include "suites.h"

/* A float32 run is right when its largest error is at most this part of the largest output (docs/arithmetic.md). */
static const double tolerance = 1e-5;

/* outputs.npy of a case has a row a step; of a pooled bidirectional model the last one is the answer. */
static double case_error(const char *name, size_t i)
{
    char folder[1024];
    npy expected;
    subject s;
    size_t rows, width;
    float *out;
    double error;
    snprintf(folder, sizeof folder, "%s/cases/%s", tests_folder, name);
    if (!read_npy(&expected, folder, "outputs.npy"))
        FAIL("the case's outputs.npy cannot be read");
    subject_make(&s, i);
    rows = whole_rows(&s.opened, s.input.n_steps);
    width = whole_width(&s.opened, 0);
    CHECK_EQUAL_SIZE(s.input.n_steps, expected.rows);
    CHECK_EQUAL_SIZE(width, expected.cols);
    out = (float *)calloc(rows * width, sizeof *out);
    run_whole(&s.opened, &s.input, 0, out);
    error = relative_error((double *)expected.values + (expected.rows - rows) * width, out, rows * width);
    free(out);
    free(expected.values);
    subject_free(&s);
    return error;
}

static void test_cases_in_tolerance(void)
{
    test_note("%-26s max|y - y*| / max|y*|", "case");
    for (size_t k = 0; k < n_cases + n_family_cases; k++) {
        const char *name = k < n_cases ? case_names[k] : family_case_names[k - n_cases];
        double error = case_error(name, subject_at(k, 0));
        test_note("%-26s %.1e", name, error);
        CHECK_NEAR(0, error, tolerance);
    }
}

/* The reference that judges the random models is judged by the cases itself. */
static void test_reference_agrees(void)
{
    for (size_t i = 0; i < n_cases; i++) {
        char folder[1024];
        trained_model model;
        npy in, expected;
        size_t size, first, count;
        unsigned char *file;
        double *out, error = 0, largest = 0;
        if (strncmp(case_names[i], "hf-", 3) == 0)
            continue; /* another layout; test_hugging_face in test_random.c */
        snprintf(folder, sizeof folder, "%s/cases/%s", tests_folder, case_names[i]);
        test_context("%s", case_names[i]);
        file = read_file(folder, "model.safetensors", &size);
        CHECK(file != NULL && trained_read(&model, file, size));
        CHECK(read_npy(&in, folder, "inputs.npy") && read_npy(&expected, folder, "outputs.npy"));
        out = (double *)calloc(expected.rows * expected.cols, sizeof *out);
        reference_run(&model, (int32_t *)in.values, (float *)in.values, in.rows, NULL, out);
        first = (in.rows - output_rows(&model.config, in.rows)) * expected.cols;
        count = expected.rows * expected.cols;
        for (size_t k = first; k < count; k++) {
            error = fmax(error, fabs(out[k] - ((double *)expected.values)[k]));
            largest = fmax(largest, fabs(((double *)expected.values)[k]));
        }
        CHECK_NEAR(0, error / largest, 1e-13);
        free(file);
        free(out);
        free(in.values);
        free(expected.values);
        trained_free(&model);
    }
}

/* Weights as trained; a convolution without a bias counts as one of zeros. */
static uint64_t mamba2_parameters(const mamba2_model *model)
{
    const mamba2_config *c = &model->config;
    uint64_t n = c->conv_bias ? 0 : (uint64_t)c->n_layers * (c->d_ssm + 2 * c->n_groups * c->d_state);
    for (size_t i = 0; i < model->tensors.n_tensors; i++)
        n += model->tensors.tensors[i].count;
    return n;
}

/* Random Mamba-2 models of every option against their float64 output. */
static void test_mamba2_in_tolerance(void)
{
    enum { N_MODELS = 200, N_STEPS = 40 };
    double worst = 0;
    for (uint64_t seed = 0; seed < N_MODELS; seed++) {
        random_source random = { ~seed };
        mamba2_model model;
        opened_model opened;
        model_input input;
        double *expected, error;
        float *out;
        unsigned char *file;
        size_t size, count;
        test_context("random-mamba2-%03d", (int)seed);
        mamba2_generate(&model, seed);
        count = N_STEPS * (size_t)mamba2_rows(&model.config);
        expected = (double *)calloc(count, sizeof *expected);
        out = (float *)calloc(count, sizeof *out);
        generate_input(&input, &model.tensors.config, N_STEPS, &random);
        mamba2_reference(&model, input.tokens, N_STEPS, expected);
        file = mamba2_convert(&model, "f32", seed % 2 ? "plain" : "compensated", &size);
        open_bytes(&opened, file, size);
        run_whole(&opened, &input, 0, out);
        error = relative_error(expected, out, count);
        CHECK_NEAR(0, error, tolerance);
        CHECK_EQUAL_U64(mamba2_parameters(&model), opened.info.parameter_count);
        worst = fmax(worst, error);
        close_model(&opened);
        input_free(&input);
        mamba2_free(&model);
        free(file);
        free(expected);
        free(out);
    }
    test_note("%d random Mamba-2 models, largest max|y - y*| / max|y*| %.1e", (int)N_MODELS, worst);
}

static const test tests[] = {
    TEST(test_reference_agrees), TEST(test_cases_in_tolerance), TEST(test_mamba2_in_tolerance),
};
const test_suite suite_cases = TEST_SUITE("cases", tests);
