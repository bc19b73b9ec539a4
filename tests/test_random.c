/* test_random.c - random models through converter and library against the float64 reference */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/convert/convert.h"
#include "files.h"
#include "hugging_face.h"
#include "reference.h"
#include "subjects.h"
#include "suites.h"

enum { N_MODELS = 600 };
static const double tolerance = 1e-5;

/* Library against reference, output rows and the rows before the head; the larger error of the two. */
static double model_error(const trained_model *model, const opened_model *opened, const model_input *input)
{
    size_t rows = output_rows(&model->config, input->n_steps), width = output_width(&model->config);
    size_t d = model->config.d_model, first = input->n_steps - rows;
    double *y = (double *)calloc(input->n_steps * width, sizeof *y), *x = (double *)calloc(input->n_steps * d, sizeof *x);
    float *out = (float *)calloc(rows * width, sizeof *out), *hidden = (float *)calloc(rows * d, sizeof *hidden);
    double error;
    reference_run(model, input->tokens, input->features, input->n_steps, x, y);
    CHECK_EQUAL_SIZE(rows, whole_rows(opened, input->n_steps));
    CHECK_EQUAL_SIZE(width, opened->info.output_size);
    run_whole(opened, input, 0, out);
    run_whole(opened, input, B2S6_RUN_HIDDEN, hidden);
    error = fmax(relative_error(y + first * width, out, rows * width), relative_error(x + first * d, hidden, rows * d));
    free(y);
    free(x);
    free(out);
    free(hidden);
    return error;
}

static void test_random_models(void)
{
    static const size_t lengths[] = { 1, 2, 3, 7, 17, 33, 50 };
    double worst = 0;
    for (uint64_t seed = 0; seed < N_MODELS; seed++) {
        random_source random = { seed + 1000000 };
        trained_model model;
        opened_model opened;
        model_input input;
        double error;
        generate_model(&model, seed);
        generate_input(&input, &model.config, RANDOM_OF(&random, lengths), &random);
        test_context("random model %d, %zu steps", (int)seed, input.n_steps);
        open_trained(&opened, &model);
        error = model_error(&model, &opened, &input);
        CHECK_NEAR(0, error, tolerance);
        worst = fmax(worst, error);
        close_model(&opened);
        trained_free(&model);
        input_free(&input);
    }
    test_note("%d random models, largest max|y - y*| / max|y*| %.1e", (int)N_MODELS, worst);
}

/* MambaForCausalLM with and without projection biases, convolution bias and tied head. */
static void test_hugging_face(void)
{
    double worst = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        static const char *const files[] = { "config.json", "model.safetensors" };
        const convert_options options = { "f32", NULL, NULL, 0 };
        char folder[512], name[64], error_text[256] = "";
        random_source random = { seed + 77 };
        trained_model model;
        opened_model opened;
        model_input input;
        unsigned char *bytes = NULL;
        size_t size;
        double error;
        test_context("model %d in Hugging Face's layout", (int)seed);
        memset(&model, 0, sizeof model);
        hugging_face_config(&model.config, &random);
        generate_tensors(&model, &random);
        if (seed & 1)
            hugging_face_add_biases(&model, &random);
        for (uint32_t l = 0; (seed & 2) && l < model.config.n_layers; l++) {
            snprintf(name, sizeof name, "layers.%u.conv.bias", l);
            trained_remove(&model, name);
        }
        generate_input(&input, &model.config, 20, &random);
        CHECK(make_folder(folder, sizeof folder) && hugging_face_write(&model, folder));
        if (convert_checkpoint(folder, &options, &bytes, &size, error_text, sizeof error_text) != 0)
            FAIL(error_text);
        open_bytes(&opened, bytes, size);
        error = model_error(&model, &opened, &input);
        CHECK_NEAR(0, error, tolerance);
        worst = fmax(worst, error);
        CHECK(remove_folder(folder, files, 2));
        free(bytes);
        close_model(&opened);
        trained_free(&model);
        input_free(&input);
    }
    test_note("40 models in Hugging Face's layout, largest max|y - y*| / max|y*| %.1e", worst);
}

/* A mean over a long stream whose rows hardly change: a plain float sum would lose more at every step than it gains. */
static void test_long_mean(void)
{
    enum { L = 100000 };
    random_source random = { 12 };
    trained_model model;
    opened_model opened;
    model_input input;
    b2s6_state *state;
    double *expected;
    float out[10];
    memset(&model, 0, sizeof model);
    plain_config(&model.config, 2, 1, 1);
    model.config.norm = model.config.final_norm = B2S6_NORM_NONE;
    model.config.norm_eps = model.config.final_norm_eps = 0;
    model.config.pool = B2S6_POOL_MEAN;
    generate_tensors(&model, &random);
    open_trained(&opened, &model);
    generate_input(&input, &model.config, L, &random);
    memset(input.tokens, 0, L * sizeof *input.tokens);
    expected = (double *)calloc((size_t)L * 10, sizeof *expected);
    reference_run(&model, input.tokens, NULL, L, NULL, expected);
    CHECK_OK(b2s6_state_create(&state, opened.model, NULL));
    for (size_t k = 0; k < L; k += 1000) {
        b2s6_run_options options = B2S6_RUN_OPTIONS;
        options.flags = B2S6_RUN_LAST;
        CHECK_OK(run_input(state, &input, k, 1000, out, &options));
        CHECK_NEAR(0, relative_error(expected + (k + 999) * 10, out, 10), 1e-6);
    }
    b2s6_state_destroy(state);
    free(expected);
    close_model(&opened);
    trained_free(&model);
    input_free(&input);
}

/* The option values of a configuration, one index for each option. */
enum { N_OPTIONS = 20 };
static void options_of(const model_config *c, unsigned values[N_OPTIONS])
{
    const unit_config *u = &c->unit;
    const unsigned all[N_OPTIONS] = {
        c->input_kind == B2S6_TOKENS, (unsigned)c->norm, c->norm_post != 0, (unsigned)c->final_norm,
        c->block == B2S6_BLOCK_S4, c->bidirectional != 0, (unsigned)c->pool,
        c->head_size == 0 ? 0u : c->head_tied ? 1u : 2u, c->head_bias != 0, u->complex_state != 0, (unsigned)u->a_scope - 1,
        (u->b_weight ? 1u : 0u) + (u->b_bias ? 2u : 0u) - 1, u->c_selective != 0, u->c_complex != 0,
        (unsigned)u->delta - 1, u->euler != 0, u->conjugate != 0, u->skip != 0,
        u->h == 1 ? 0u : u->h == c->d_inner ? 1u : 2u, u->plain_states != 0,
    };
    memcpy(values, all, sizeof all);
}

/* Every value of every option meets every value of every other one among the random models, but for these. */
static int impossible(unsigned a, unsigned va, unsigned b, unsigned vb)
{
    return (a == 0 && !va && b == 7 && vb == 1)     /* features: no tied head */
           || (a == 4 && !va && b == 5 && vb)       /* mamba: not bidirectional */
           || (a == 7 && va == 0 && b == 8 && vb)   /* no head: no bias of it */
           || (a == 9 && !va && b == 13 && vb);     /* real: no complex C */
}

static void test_random_models_cover(void)
{
    static const unsigned n_values[N_OPTIONS] = { 2, 4, 2, 4, 2, 2, 3, 3, 2, 2, 3, 3, 2, 2, 3, 2, 2, 2, 3, 2 };
    static unsigned char met[N_OPTIONS][4][N_OPTIONS][4];
    memset(met, 0, sizeof met);
    for (uint64_t seed = 0; seed < N_MODELS; seed++) {
        random_source random = { seed };
        model_config config;
        unsigned values[N_OPTIONS];
        generate_config(&config, &random, 0);
        options_of(&config, values);
        for (unsigned a = 0; a < N_OPTIONS; a++)
            for (unsigned b = 0; b < N_OPTIONS; b++)
                met[a][values[a]][b][values[b]] = 1;
    }
    for (unsigned a = 0; a < N_OPTIONS; a++)
        for (unsigned b = a + 1; b < N_OPTIONS; b++)
            for (unsigned va = 0; va < n_values[a]; va++)
                for (unsigned vb = 0; vb < n_values[b]; vb++) {
                    test_context("option %u = %u with option %u = %u", a, va, b, vb);
                    CHECK(met[a][va][b][vb] || impossible(a, va, b, vb));
                }
}

static const test tests[] = {
    TEST(test_random_models_cover), TEST(test_random_models), TEST(test_hugging_face), TEST(test_long_mean),
};
const test_suite suite_random = TEST_SUITE("random", tests);
