/* mamba2.c - see mamba2.h: the models; their output is in reference_mamba2.c */
#include "mamba2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/cli/convert/convert.h"
#include "test.h"

static uint32_t divisor(random_source *random, uint32_t of, uint32_t most)
{
    uint32_t d = 1 + random_below(random, of < most ? of : most);
    while (of % d != 0)
        d--;
    return d;
}

static void generate_config_of(mamba2_config *c, random_source *random, uint32_t wide)
{
    static const uint32_t widths[] = { 2, 3, 5, 8, 12, 15, 16, 17, 24, 33 }, states[] = { 1, 2, 3, 8, 9, 16, 17 };
    static const uint32_t multiples[] = { 1, 8, 16 };
    static const double limits[][2] = { { 0.01, 0.2 }, { 0, 0.05 }, { 0.5, 1e30 }, { 0.001, 3 } };
    const double *limit;
    memset(c, 0, sizeof *c);
    c->d_model = wide + RANDOM_OF(random, widths);
    c->n_layers = 1 + random_below(random, 3);
    c->vocabulary = 1 + random_below(random, 40);
    c->pad_multiple = RANDOM_OF(random, multiples);
    c->d_intermediate = random_below(random, 3) == 0 ? 1 + random_below(random, 200) : 0;
    c->expand = 1 + random_below(random, 3);
    c->d_ssm = random_below(random, 2) ? c->expand * c->d_model : 1 + random_below(random, c->expand * c->d_model);
    c->headdim = divisor(random, c->d_ssm, 64);
    c->n_groups = divisor(random, c->d_ssm / c->headdim, 8);
    c->d_state = RANDOM_OF(random, states);
    c->d_conv = 1 + random_below(random, 5);
    c->rms_norm = c->d_model < 3 || random_below(random, 3) != 0;
    c->tied = (int)random_below(random, 2);
    c->gated_norm = random_below(random, 4) != 0;
    c->norm_before_gate = (int)random_below(random, 2);
    c->bias = (int)random_below(random, 2);
    c->conv_bias = random_below(random, 3) != 0;
    c->d_has_hdim = (int)random_below(random, 2);
    c->has_limits = (int)random_below(random, 2);
    limit = RANDOM_OF(random, limits);
    c->least = limit[0];
    c->most = limit[1];
}

uint32_t mamba2_rows(const mamba2_config *c)
{
    return (c->vocabulary + c->pad_multiple - 1) / c->pad_multiple * c->pad_multiple;
}

/* A power of two near 1 / sqrt(n), so that products with it are exact. */
static float fan_in(size_t n)
{
    float scale = 1;
    for (; n > 2; n = (n + 3) / 4)
        scale *= 0.5f;
    return scale;
}

/* centre + scale normal, the product exact. */
static void add(mamba2_model *model, const char *prefix, const char *name, float centre, float scale, random_source *random,
                size_t rank, size_t a, size_t b, size_t c)
{
    const size_t shape[] = { a, b, c };
    char full[80];
    trained_tensor *t;
    snprintf(full, sizeof full, "%s%s", prefix, name);
    t = trained_add(&model->tensors, full, rank, shape);
    for (size_t i = 0; i < t->count; i++) {
        float value = scale * random_normal(random);
        t->values[i] = centre;
        t->values[i] += value;
    }
}

static void add_norm(mamba2_model *model, const char *prefix, random_source *random)
{
    add(model, prefix, "weight", 1, 0.25f, random, 1, model->config.d_model, 0, 0);
    if (!model->config.rms_norm)
        add(model, prefix, "bias", 0, 0.25f, random, 1, model->config.d_model, 0, 0);
}

static void add_mixer(mamba2_model *model, const char *prefix, random_source *random)
{
    static const float paces[] = { -10, -5, -3, -1, 1 }; /* the middle of dt_bias */
    const mamba2_config *c = &model->config;
    const size_t d = c->d_model, inner = (size_t)c->expand * d, heads = c->d_ssm / c->headdim;
    const size_t channels = c->d_ssm + 2 * (size_t)c->n_groups * c->d_state, rows = 2 * inner - c->d_ssm + channels + heads;
    add(model, prefix, "in_proj.weight", 0, fan_in(d), random, 2, rows, d, 0);
    if (c->bias)
        add(model, prefix, "in_proj.bias", 0, 0.25f, random, 1, rows, 0, 0);
    add(model, prefix, "conv1d.weight", 0, 0.5f, random, 3, channels, 1, c->d_conv);
    if (c->conv_bias)
        add(model, prefix, "conv1d.bias", 0, 0.25f, random, 1, channels, 0, 0);
    add(model, prefix, "dt_bias", RANDOM_OF(random, paces), 0.5f, random, 1, heads, 0, 0);
    add(model, prefix, "A_log", 0, 0.5f, random, 1, heads, 0, 0);
    add(model, prefix, "D", 0.5f, 0.5f, random, 1, c->d_has_hdim ? c->d_ssm : heads, 0, 0);
    if (c->gated_norm)
        add(model, prefix, "norm.weight", 1, 0.25f, random, 1, c->d_ssm, 0, 0);
    add(model, prefix, "out_proj.weight", 0, fan_in(inner), random, 2, d, inner, 0);
    if (c->bias)
        add(model, prefix, "out_proj.bias", 0, 0.25f, random, 1, d, 0, 0);
}

static void add_layer(mamba2_model *model, uint32_t l, random_source *random)
{
    const mamba2_config *c = &model->config;
    const size_t d = c->d_model, width = (c->d_intermediate + 127) / 128 * 128;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "backbone.layers.%u.norm.", l);
    add_norm(model, prefix, random);
    snprintf(prefix, sizeof prefix, "backbone.layers.%u.mixer.", l);
    add_mixer(model, prefix, random);
    if (width == 0)
        return;
    snprintf(prefix, sizeof prefix, "backbone.layers.%u.norm2.", l);
    add_norm(model, prefix, random);
    snprintf(prefix, sizeof prefix, "backbone.layers.%u.mlp.", l);
    add(model, prefix, "fc1.weight", 0, fan_in(d), random, 2, 2 * width, d, 0);
    add(model, prefix, "fc2.weight", 0, fan_in(width), random, 2, d, width, 0);
}

void mamba2_generate(mamba2_model *model, uint64_t seed)
{
    random_source random = { seed + UINT64_C(0x3a3ba2) };
    const mamba2_config *c = &model->config;
    memset(model, 0, sizeof *model);
    generate_config_of(&model->config, &random, seed % 16 == 15 ? 123 : 0);
    model->tensors.config.input_kind = B2S6_TOKENS;
    model->tensors.config.input_size = mamba2_rows(c);
    add(model, "", "backbone.embedding.weight", 0, 1, &random, 2, mamba2_rows(c), c->d_model, 0);
    for (uint32_t l = 0; l < c->n_layers; l++)
        add_layer(model, l, &random);
    add_norm(model, "backbone.norm_f.", &random);
    if (!c->tied)
        add(model, "", "lm_head.weight", 0, fan_in(c->d_model), &random, 2, mamba2_rows(c), c->d_model, 0);
}

void mamba2_generate_small(mamba2_model *model)
{
    for (uint64_t seed = 0;; seed++) {
        const mamba2_config *c = &model->config;
        mamba2_generate(model, seed);
        if (c->d_model < 6 && c->d_ssm < c->expand * c->d_model && c->n_groups > 1 && c->bias && c->gated_norm &&
            c->has_limits && c->d_intermediate > 0 && c->d_conv > 1 && c->n_layers > 1)
            return;
        mamba2_free(model);
    }
}

void mamba2_free(mamba2_model *model)
{
    trained_free(&model->tensors);
}

static const char *truth(int value)
{
    return value ? "true" : "false";
}

void mamba2_write_config(const mamba2_config *c, char *text, size_t size)
{
    char limits[80] = "";
    int n;
    if (c->has_limits)
        snprintf(limits, sizeof limits, ", \"dt_limit\": [%.17g, %.17g]", c->least, c->most);
    n = snprintf(text, size,
                 "{\"d_model\": %u, \"d_intermediate\": %u, \"n_layer\": %u, \"vocab_size\": %u, \"pad_vocab_size_multiple\": %u,"
                 " \"rms_norm\": %s, \"tie_embeddings\": %s, \"attn_layer_idx\": [], \"ssm_cfg\": {\"layer\": \"Mamba2\","
                 " \"expand\": %u, \"d_ssm\": %u, \"headdim\": %u, \"ngroups\": %u, \"d_state\": %u, \"d_conv\": %u,"
                 " \"rmsnorm\": %s, \"norm_before_gate\": %s, \"bias\": %s, \"conv_bias\": %s, \"D_has_hdim\": %s%s}}",
                 c->d_model, c->d_intermediate, c->n_layers, c->vocabulary, c->pad_multiple, truth(c->rms_norm), truth(c->tied),
                 c->expand, c->d_ssm, c->headdim, c->n_groups, c->d_state, c->d_conv, truth(c->gated_norm),
                 truth(c->norm_before_gate), truth(c->bias), truth(c->conv_bias), truth(c->d_has_hdim), limits);
    CHECK(n > 0 && (size_t)n < size);
}

unsigned char *mamba2_convert(const mamba2_model *model, const char *type, const char *states, size_t *size)
{
    const convert_options options = { type, states, NULL, 0 };
    char config[1024], error[300] = "";
    unsigned char *bytes = NULL, *source;
    size_t source_size;
    mamba2_write_config(&model->config, config, sizeof config);
    source = trained_write_tensors(&model->tensors, "{\"format\": \"pt\"}", &source_size);
    if (convert_folder_memory(config, strlen(config), source, source_size, "generated", &options, &bytes, size, error,
                              sizeof error) != 0)
        FAIL(error);
    free(source);
    return bytes;
}
