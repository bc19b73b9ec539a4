/* hugging_face.c - writes a mamba model of ours as a checkpoint of Hugging Face's MambaForCausalLM */
#include "hugging_face.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

void hugging_face_config(model_config *c, random_source *random)
{
    static const uint32_t widths[] = { 1, 5, 16, 24, 33 };
    memset(c, 0, sizeof *c);
    c->d_model = RANDOM_OF(random, widths);
    c->n_layers = 1 + random_below(random, 3);
    c->input_kind = B2S6_TOKENS;
    c->input_size = 1 + random_below(random, 40);
    c->norm = c->final_norm = B2S6_NORM_RMS;
    c->norm_eps = c->final_norm_eps = 1e-5;
    c->block = B2S6_BLOCK_MAMBA;
    c->d_inner = 2 * c->d_model;
    c->d_conv = 1 + random_below(random, 4);
    c->unit.h = 1;
    c->unit.d_state = 1 + random_below(random, 17);
    c->unit.a_scope = B2S6_SCOPE_CHANNEL;
    c->unit.b_weight = c->unit.c_selective = c->unit.euler = c->unit.skip = 1;
    c->unit.delta = B2S6_DELTA_LOWRANK;
    c->unit.dt_rank = 1 + random_below(random, 4);
    c->head_size = c->input_size;
    c->head_tied = (int)random_below(random, 2);
}

void hugging_face_add_biases(trained_model *model, random_source *random)
{
    for (uint32_t l = 0; l < model->config.n_layers; l++) {
        char name[64];
        const size_t in[] = { 2 * model->config.d_inner }, out[] = { model->config.d_model };
        trained_tensor *t;
        snprintf(name, sizeof name, "layers.%u.in_proj.bias", l);
        t = trained_add(model, name, 1, in);
        for (size_t i = 0; i < t->count; i++)
            t->values[i] = 0.25f * random_normal(random);
        snprintf(name, sizeof name, "layers.%u.out_proj.bias", l);
        t = trained_add(model, name, 1, out);
        for (size_t i = 0; i < t->count; i++)
            t->values[i] = 0.25f * random_normal(random);
    }
}

/* Copies layers.l.from to mixer's to, with another shape of as many values; 0 if there is none to copy. */
static int put(trained_model *hf, const trained_model *model, uint32_t l, const char *from, const char *to, size_t rank,
               size_t a, size_t b, size_t c)
{
    const size_t shape[] = { a, b, c };
    char prefix[32], name[80];
    const trained_tensor *t;
    snprintf(prefix, sizeof prefix, "layers.%u.", l);
    snprintf(name, sizeof name, "backbone.layers.%u.%s", l, to);
    t = trained_find(model, prefix, from);
    if (t != NULL)
        memcpy(trained_add(hf, name, rank, shape)->values, t->values, t->count * sizeof(float));
    return t != NULL;
}

/* x_proj.weight (dt_rank + 2 n, d): the low-rank delta, then B, then C */
static void put_x_proj(trained_model *hf, const trained_model *model, uint32_t l)
{
    size_t d = model->config.d_inner, n = model->config.unit.d_state, r = model->config.unit.dt_rank;
    const size_t shape[] = { r + 2 * n, d };
    char name[80], prefix[32];
    const trained_tensor *c;
    float *to;
    snprintf(name, sizeof name, "backbone.layers.%u.mixer.x_proj.weight", l);
    snprintf(prefix, sizeof prefix, "layers.%u.unit.", l);
    to = trained_add(hf, name, 2, shape)->values;
    memcpy(to, trained_find(model, prefix, "x_weight")->values, r * d * sizeof *to);
    memcpy(to + r * d, trained_find(model, prefix, "B_weight")->values, n * d * sizeof *to);
    c = trained_find(model, prefix, "C"); /* (1, d, n) */
    for (size_t s = 0; s < n; s++)
        for (size_t i = 0; i < d; i++)
            to[(r + n + s) * d + i] = c->values[i * n + s];
}

static void put_outside(trained_model *hf, const trained_model *model, const char *from, const char *to)
{
    const trained_tensor *t = trained_find(model, "", from);
    if (t != NULL)
        memcpy(trained_add(hf, to, t->rank, t->shape)->values, t->values, t->count * sizeof(float));
}

static int write_config(const model_config *c, const char *folder, int use_bias, int use_conv_bias)
{
    char json[1024];
    int n = snprintf(json, sizeof json,
                     "{\n  \"architectures\": [\"MambaForCausalLM\"],\n  \"conv_kernel\": %u,\n  \"hidden_act\": \"silu\",\n"
                     "  \"hidden_size\": %u,\n  \"intermediate_size\": %u,\n  \"layer_norm_epsilon\": %.17g,\n"
                     "  \"model_type\": \"mamba\",\n  \"num_hidden_layers\": %u,\n  \"state_size\": %u,\n"
                     "  \"tie_word_embeddings\": %s,\n  \"time_step_rank\": %u,\n  \"use_bias\": %s,\n"
                     "  \"use_conv_bias\": %s,\n  \"vocab_size\": %u\n}\n",
                     c->d_conv, c->d_model, c->d_inner, c->norm_eps, c->n_layers, c->unit.d_state,
                     c->head_tied ? "true" : "false", c->unit.dt_rank, use_bias ? "true" : "false",
                     use_conv_bias ? "true" : "false", c->input_size);
    return n > 0 && (size_t)n < sizeof json && write_file(folder, "config.json", json, (size_t)n);
}

int hugging_face_write(const trained_model *model, const char *folder)
{
    const model_config *c = &model->config;
    size_t d = c->d_model, di = c->d_inner, size;
    int use_bias = 0, use_conv_bias = 0, good;
    trained_model hf;
    unsigned char *file;
    memset(&hf, 0, sizeof hf);
    put_outside(&hf, model, "encoder.weight", "backbone.embeddings.weight");
    for (uint32_t l = 0; l < c->n_layers; l++) {
        put(&hf, model, l, "norm.weight", "norm.weight", 1, d, 0, 0);
        put(&hf, model, l, "unit.A_log", "mixer.A_log", 2, di, c->unit.d_state, 0);
        put(&hf, model, l, "unit.D", "mixer.D", 1, di, 0, 0);
        put(&hf, model, l, "conv.weight", "mixer.conv1d.weight", 3, di, 1, c->d_conv);
        use_conv_bias = put(&hf, model, l, "conv.bias", "mixer.conv1d.bias", 1, di, 0, 0);
        put(&hf, model, l, "unit.dt_weight", "mixer.dt_proj.weight", 2, di, c->unit.dt_rank, 0);
        put(&hf, model, l, "unit.b", "mixer.dt_proj.bias", 1, di, 0, 0);
        put(&hf, model, l, "in_proj.weight", "mixer.in_proj.weight", 2, 2 * di, d, 0);
        put(&hf, model, l, "out_proj.weight", "mixer.out_proj.weight", 2, d, di, 0);
        use_bias = put(&hf, model, l, "in_proj.bias", "mixer.in_proj.bias", 1, 2 * di, 0, 0);
        put(&hf, model, l, "out_proj.bias", "mixer.out_proj.bias", 1, d, 0, 0);
        put_x_proj(&hf, model, l);
    }
    put_outside(&hf, model, "final_norm.weight", "backbone.norm_f.weight");
    put_outside(&hf, model, "head.weight", "lm_head.weight");
    file = trained_write_tensors(&hf, "{\"format\": \"pt\"}", &size);
    good = write_file(folder, "model.safetensors", file, size) && write_config(c, folder, use_bias, use_conv_bias);
    free(file);
    trained_free(&hf);
    return good;
}
