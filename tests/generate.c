/* generate.c - random models and input */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------ configurations */

static const uint32_t widths[] = { 1, 2, 3, 5, 8, 12, 15, 16, 17, 24, 31, 32, 33, 48 };
static const uint32_t state_counts[] = { 1, 2, 3, 4, 5, 8, 16, 17 };
static const uint32_t vocabularies[] = { 1, 2, 5, 16, 17, 40 };
static const uint32_t feature_counts[] = { 1, 2, 3, 16, 17 };
static const uint32_t head_sizes[] = { 1, 2, 10, 16, 17, 33 };
static const uint32_t ranks[] = { 1, 2, 3, 16, 17 };
static const double epsilons[] = { 1e-5, 1e-6, 1e-3 };

static uint32_t random_divisor(random_source *random, uint32_t of)
{
    uint32_t d = 1 + random_below(random, of);
    if (random_below(random, 5) == 0)
        return of; /* p = 1 */
    while (of % d != 0)
        d--;
    return d;
}

static void generate_unit_config(unit_config *u, uint32_t width, random_source *random)
{
    u->h = random_divisor(random, width);
    u->d_state = RANDOM_OF(random, state_counts);
    u->complex_state = random_below(random, 3) != 0;
    u->a_scope = (b2s6_scope)(1 + random_below(random, 3));
    u->b_weight = random_below(random, 3) != 0;
    u->b_bias = !u->b_weight || random_below(random, 3) != 0;
    u->c_selective = random_below(random, 3) != 0;
    u->c_complex = u->complex_state && random_below(random, 2);
    u->delta = (b2s6_delta)(1 + random_below(random, 3));
    u->dt_rank = u->delta == B2S6_DELTA_LOWRANK ? RANDOM_OF(random, ranks) : 0;
    u->euler = (int)random_below(random, 2);
    u->conjugate = (int)random_below(random, 2);
    u->skip = (int)random_below(random, 2);
    u->plain_states = (int)random_below(random, 2);
}

/* A layer norm of one or two values keeps nothing but signs: the model's answer would not depend on the unit. */
static b2s6_norm random_norm(random_source *random, uint32_t d_model)
{
    b2s6_norm kind = (b2s6_norm)random_below(random, 4);
    return kind == B2S6_NORM_LAYER && d_model < 3 ? B2S6_NORM_BATCH : kind;
}

/* What a layer has of its own, of a model whose d_model is set. */
static void generate_layer_config(model_config *c, random_source *random, uint32_t wide)
{
    c->norm = random_norm(random, c->d_model);
    c->norm_eps = c->norm ? RANDOM_OF(random, epsilons) : 0;
    c->norm_post = (int)random_below(random, 2);
    c->block = random_below(random, 2) ? B2S6_BLOCK_S4 : B2S6_BLOCK_MAMBA;
    c->bidirectional = c->block == B2S6_BLOCK_S4 && random_below(random, 3) == 0;
    c->d_inner = c->block == B2S6_BLOCK_S4 ? c->d_model : wide + RANDOM_OF(random, widths);
    c->d_conv = c->block == B2S6_BLOCK_S4 ? 0 : 1 + random_below(random, 5);
    generate_unit_config(&c->unit, c->d_inner, random);
}

void generate_config(model_config *c, random_source *random, uint32_t wide)
{
    memset(c, 0, sizeof *c);
    c->d_model = wide + RANDOM_OF(random, widths);
    c->n_layers = 1 + random_below(random, 3);
    c->input_kind = random_below(random, 2) ? B2S6_TOKENS : B2S6_FEATURES;
    c->input_size = c->input_kind == B2S6_TOKENS ? RANDOM_OF(random, vocabularies) : RANDOM_OF(random, feature_counts);
    c->final_norm = random_norm(random, c->d_model);
    c->final_norm_eps = c->final_norm ? RANDOM_OF(random, epsilons) : 0;
    generate_layer_config(c, random, wide);
    c->pool = (b2s6_pool)random_below(random, 3);
    c->head_size = random_below(random, 4) == 0 ? 0 : wide + RANDOM_OF(random, head_sizes);
    c->head_tied = c->head_size != 0 && c->input_kind == B2S6_TOKENS && random_below(random, 2);
    if (c->head_tied)
        c->head_size = c->input_size;
    c->head_bias = c->head_size != 0 && random_below(random, 2);
}

/* Layer l becomes what norm to unit of the configuration say. */
static void keep_layer(model_config *c, uint32_t l)
{
    layer_config *layer = &c->layers[l];
    layer->norm = c->norm;
    layer->norm_eps = c->norm_eps;
    layer->norm_post = c->norm_post;
    layer->block = c->block;
    layer->d_inner = c->d_inner;
    layer->d_conv = c->d_conv;
    layer->bidirectional = c->bidirectional;
    layer->unit = c->unit;
}

void generate_layers(model_config *c, random_source *random, uint32_t wide)
{
    c->layers_differ = 1;
    c->n_layers = 2 + random_below(random, MOST_LAYERS_THAT_DIFFER - 1);
    for (uint32_t l = 0; l < c->n_layers; l++) {
        if (l > 0 && random_below(random, 3) != 0) /* a third are as the layer before them */
            generate_layer_config(c, random, wide);
        keep_layer(c, l);
    }
    *c = config_of_layer(c, 0);
}

void plain_config(model_config *c, uint32_t d_model, uint32_t h, uint32_t d_state)
{
    memset(c, 0, sizeof *c);
    c->d_model = c->d_inner = d_model;
    c->n_layers = 2;
    c->input_kind = B2S6_TOKENS;
    c->input_size = 20;
    c->norm = c->final_norm = B2S6_NORM_LAYER;
    c->norm_eps = c->final_norm_eps = 1e-5;
    c->block = B2S6_BLOCK_S4;
    c->unit.h = h;
    c->unit.d_state = d_state;
    c->unit.complex_state = c->unit.b_weight = c->unit.b_bias = c->unit.c_selective = 1;
    c->unit.conjugate = c->unit.skip = 1;
    c->unit.a_scope = B2S6_SCOPE_LAYER;
    c->unit.delta = B2S6_DELTA_BLOCK;
    c->head_size = 10;
    c->head_bias = 1;
}

/* ------------------------------------------------------------------------------------------------------------- tensors */

/*
 * How fast a model's states move: the middle of log(delta) and of A's frequencies. Fast states have low frequencies, since
 * a phase of hundreds of turns a step has no digits left in float32, whatever computes it.
 */
typedef struct pace {
    float log_delta; /* exp of it is about delta */
    float frequency;
} pace;

static const pace paces[] = { { -14, 40 }, { -8, 40 }, { -4, 12 }, { -2, 4 }, { 0, 1 }, { 2, 0.25f } };

/*
 * Adds prefix + name and fills it with centre + scale * normal. Where there is a centre, the scale is a power of two: the
 * product is exact, so that a compiler that fuses it with the sum changes nothing.
 */
static trained_tensor *add_normal(trained_model *model, const char *prefix, const char *name, float centre, float scale,
                          random_source *random, size_t rank, size_t a, size_t b, size_t c, size_t d)
{
    const size_t shape[4] = { a, b, c, d };
    char full[80];
    trained_tensor *t;
    snprintf(full, sizeof full, "%s%s", prefix, name);
    t = trained_add(model, full, rank, shape);
    for (size_t i = 0; i < t->count; i++) {
        float value = scale * random_normal(random);
        t->values[i] = centre;
        t->values[i] += value;
    }
    return t;
}

/* A scale of about 1 / sqrt(n): the power of two next to it, so that it is exact. */
static float fan_in(size_t n)
{
    float scale = 1;
    while (n > 1) {
        scale *= 0.5f;
        n = n / 4 + (n % 4 > 1);
    }
    return scale;
}

static void add_norm(trained_model *model, const char *prefix, b2s6_norm kind, random_source *random)
{
    size_t d = model->config.d_model;
    if (kind == B2S6_NORM_NONE)
        return;
    add_normal(model, prefix, "weight", 1, 0.25f, random, 1, d, 0, 0, 0);
    if (kind != B2S6_NORM_RMS)
        add_normal(model, prefix, "bias", 0, 0.25f, random, 1, d, 0, 0, 0);
    if (kind == B2S6_NORM_BATCH) {
        trained_tensor *variance;
        add_normal(model, prefix, "running_mean", 0, 0.25f, random, 1, d, 0, 0, 0);
        variance = add_normal(model, prefix, "running_var", 1.25f, 0.125f, random, 1, d, 0, 0, 0);
        for (size_t i = 0; i < d; i++)
            if (variance->values[i] < 0.0625f)
                variance->values[i] = 0.0625f;
    }
}

/* delta: its bias gives the pace, its weights move it about a little */
static void add_delta(trained_model *model, const char *prefix, const pace *speed, random_source *random)
{
    const unit_config *u = &model->config.unit;
    size_t d = model->config.d_inner, h = u->h, p = d / h, r = u->dt_rank;
    float centre = speed->log_delta; /* softplus(x) is exp(x) for x << 0 and x for x >> 0 */
    if (u->delta != B2S6_DELTA_CONSTANT && speed->log_delta > 0)
        centre = 8;
    add_normal(model, prefix, "b", centre, 0.5f, random, 2, h, p, 0, 0);
    if (u->delta == B2S6_DELTA_BLOCK)
        add_normal(model, prefix, "w", 0, fan_in(p), random, 2, h, p, 0, 0);
    if (u->delta == B2S6_DELTA_LOWRANK) {
        add_normal(model, prefix, "x_weight", 0, fan_in(d), random, 2, r, d, 0, 0);
        add_normal(model, prefix, "dt_weight", 0, fan_in(r), random, 2, d, r, 0, 0);
    }
}

static void add_unit(trained_model *model, const char *prefix, random_source *random)
{
    const unit_config *u = &model->config.unit;
    size_t d = model->config.d_inner, h = u->h, p = d / h, n = u->d_state, cx = u->complex_state ? 2 : 0;
    size_t rows = u->a_scope == B2S6_SCOPE_LAYER ? 1 : u->a_scope == B2S6_SCOPE_BLOCK ? h : d;
    pace speed = RANDOM_OF(random, paces);
    /* Euler's delta B knows no bound, the hold's does not exceed B / A. */
    float gain = u->euler && speed.log_delta > -1 ? 0.125f : 0.5f;
    add_normal(model, prefix, "A_log", 0, 0.5f, random, 2, rows, n, 0, 0);
    if (u->complex_state)
        add_normal(model, prefix, "A_imag", 0, speed.frequency, random, 2, rows, n, 0, 0);
    if (u->b_weight)
        add_normal(model, prefix, "B_weight", 0, gain * fan_in(p), random, cx ? 4 : 3, h, n, p, cx);
    if (u->b_bias)
        add_normal(model, prefix, "B_bias", 0, gain, random, cx ? 4 : 3, h, p, n, cx);
    add_normal(model, prefix, "C", 0, fan_in(n) * (u->c_selective ? fan_in(p) : 1), random, u->c_complex ? 4 : 3, h, p, n, 2);
    add_delta(model, prefix, &speed, random);
    if (u->skip)
        add_normal(model, prefix, "D", 0.5f, 0.5f, random, 1, d, 0, 0, 0);
}

/* model's configuration is that of layer l. */
static void add_layer(trained_model *model, uint32_t l, random_source *random)
{
    const model_config *c = &model->config;
    size_t d = c->d_model, di = c->d_inner;
    char layer[32], prefix[48];
    snprintf(layer, sizeof layer, "layers.%u.", l);
    snprintf(prefix, sizeof prefix, "%snorm.", layer);
    add_norm(model, prefix, c->norm, random);
    snprintf(prefix, sizeof prefix, "%sunit.", layer);
    add_unit(model, prefix, random);
    if (c->block == B2S6_BLOCK_S4) {
        snprintf(prefix, sizeof prefix, "%sunit_rev.", layer);
        if (c->bidirectional)
            add_unit(model, prefix, random);
        add_normal(model, layer, "out.weight", 0, fan_in(d), random, 2, 2 * d, d, 0, 0);
        add_normal(model, layer, "out.bias", 0, 0.125f, random, 1, 2 * d, 0, 0, 0);
        return;
    }
    add_normal(model, layer, "in_proj.weight", 0, fan_in(d), random, 2, 2 * di, d, 0, 0);
    add_normal(model, layer, "conv.weight", 0, 0.5f, random, 2, di, c->d_conv, 0, 0);
    add_normal(model, layer, "conv.bias", 0, 0.125f, random, 1, di, 0, 0, 0);
    add_normal(model, layer, "out_proj.weight", 0, fan_in(di), random, 2, d, di, 0, 0);
}

void generate_tensors(trained_model *model, random_source *random)
{
    const model_config *c = &model->config;
    size_t d = c->d_model;
    if (c->input_kind == B2S6_TOKENS) {
        add_normal(model, "", "encoder.weight", 0, 1, random, 2, c->input_size, d, 0, 0);
    } else {
        add_normal(model, "", "encoder.weight", 0, fan_in(c->input_size), random, 2, d, c->input_size, 0, 0);
        add_normal(model, "", "encoder.bias", 0, 0.125f, random, 1, d, 0, 0, 0);
    }
    for (uint32_t l = 0; l < c->n_layers; l++) {
        model_config whole = model->config;
        model->config = config_of_layer(&whole, l);
        add_layer(model, l, random);
        model->config = whole;
    }
    add_norm(model, "final_norm.", c->final_norm, random);
    if (c->head_size != 0 && !c->head_tied)
        add_normal(model, "", "head.weight", 0, fan_in(d), random, 2, c->head_size, d, 0, 0);
    if (c->head_bias)
        add_normal(model, "", "head.bias", 0, 0.125f, random, 1, c->head_size, 0, 0, 0);
}

void generate_model(trained_model *model, uint64_t seed)
{
    random_source random = { seed };
    uint32_t wide = seed % 16 == 15 ? 123 : 0; /* where matrices of many rows are worked on another way */
    memset(model, 0, sizeof *model);
    generate_config(&model->config, &random, wide);
    if (seed % 3 == 2)
        generate_layers(&model->config, &random, wide);
    generate_tensors(model, &random);
}

/* --------------------------------------------------------------------------------------------------------------- input */

void generate_input(model_input *input, const model_config *config, size_t n_steps, random_source *random)
{
    size_t width = config->input_size;
    input->n_steps = n_steps;
    input->tokens = (int32_t *)calloc(n_steps + 1, sizeof(int32_t));
    input->features = (float *)calloc(n_steps * width + 1, sizeof(float));
    if (input->tokens == NULL || input->features == NULL)
        exit(2);
    if (config->input_kind == B2S6_TOKENS)
        for (size_t k = 0; k < n_steps; k++)
            input->tokens[k] = (int32_t)random_below(random, config->input_size);
    else
        for (size_t i = 0; i < n_steps * width; i++)
            input->features[i] = random_normal(random);
}

void input_free(model_input *input)
{
    free(input->tokens);
    free(input->features);
    memset(input, 0, sizeof *input);
}
