/* trained.c - the tensors of a model, and writing them as a safetensors file */
#include "trained.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const norm_names[4] = { "none", "layer", "rms", "batch" };
const char *const pool_names[3] = { "none", "mean", "last" };
const char *const scope_names[4] = { "", "layer", "block", "channel" };
const char *const delta_names[4] = { "", "block", "lowrank", "constant" };

model_config config_of_layer(const model_config *config, uint32_t l)
{
    model_config c = *config;
    if (c.layers_differ) {
        const layer_config *layer = &config->layers[l];
        c.norm = layer->norm;
        c.norm_eps = layer->norm_eps;
        c.norm_post = layer->norm_post;
        c.block = layer->block;
        c.d_inner = layer->d_inner;
        c.d_conv = layer->d_conv;
        c.bidirectional = layer->bidirectional;
        c.unit = layer->unit;
    }
    return c;
}

int is_bidirectional(const model_config *config)
{
    int any = config->bidirectional;
    for (uint32_t l = 0; config->layers_differ && l < config->n_layers; l++)
        any |= config->layers[l].bidirectional;
    return any;
}

static void *must(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "tests: out of memory\n");
        exit(2);
    }
    return memory;
}

trained_tensor *trained_add(trained_model *model, const char *name, size_t rank, const size_t *shape)
{
    trained_tensor *t;
    model->tensors = (trained_tensor *)must(realloc(model->tensors, (model->n_tensors + 1) * sizeof *model->tensors));
    t = &model->tensors[model->n_tensors++];
    memset(t, 0, sizeof *t);
    snprintf(t->name, sizeof t->name, "%s", name);
    t->rank = rank;
    t->count = 1;
    for (size_t i = 0; i < rank; i++)
        t->count *= t->shape[i] = shape[i];
    t->values = (float *)must(calloc(t->count + (t->count == 0), sizeof(float)));
    return t;
}

trained_tensor *trained_find(const trained_model *model, const char *prefix, const char *name)
{
    size_t n = strlen(prefix);
    for (size_t i = 0; i < model->n_tensors; i++)
        if (strncmp(model->tensors[i].name, prefix, n) == 0 && strcmp(model->tensors[i].name + n, name) == 0)
            return &model->tensors[i];
    return NULL;
}

void trained_remove(trained_model *model, const char *name)
{
    trained_tensor *t = trained_find(model, "", name);
    if (t == NULL)
        return;
    free(t->values);
    memmove(t, t + 1, (size_t)(model->tensors + --model->n_tensors - t) * sizeof *t);
}

void trained_copy(trained_model *to, const trained_model *from)
{
    *to = *from;
    to->tensors = NULL;
    to->n_tensors = 0;
    for (size_t i = 0; i < from->n_tensors; i++) {
        const trained_tensor *t = &from->tensors[i];
        memcpy(trained_add(to, t->name, t->rank, t->shape)->values, t->values, t->count * sizeof(float));
    }
}

void trained_free(trained_model *model)
{
    for (size_t i = 0; i < model->n_tensors; i++)
        free(model->tensors[i].values);
    free(model->tensors);
    memset(model, 0, sizeof *model);
}

/* ------------------------------------------------------------------------------------------------------------- writing */

typedef struct text {
    char *bytes;
    size_t size;
} text;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void append(text *to, const char *format, ...)
{
    va_list arguments;
    int n;
    va_start(arguments, format);
    n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    to->bytes = (char *)must(realloc(to->bytes, to->size + (size_t)n + 1));
    va_start(arguments, format);
    vsnprintf(to->bytes + to->size, (size_t)n + 1, format, arguments);
    va_end(arguments);
    to->size += (size_t)n;
}

static const char *truth(int value)
{
    return value ? "true" : "false";
}

/* What a layer is, or all of them: the keys from norm to unit. */
static void append_layer(text *to, const model_config *c)
{
    const unit_config *u = &c->unit;
    append(to, "\"norm\": {\"kind\": \"%s\", \"eps\": %.17g, \"place\": \"%s\"}, ", norm_names[c->norm], c->norm_eps,
           c->norm_post ? "post" : "pre");
    append(to, "\"block\": \"%s\", ", c->block == B2S6_BLOCK_S4 ? "s4" : "mamba");
    if (c->block == B2S6_BLOCK_MAMBA)
        append(to, "\"d_inner\": %u, \"d_conv\": %u, ", c->d_inner, c->d_conv);
    append(to, "\"bidirectional\": %s, ", truth(c->bidirectional));
    append(to, "\"unit\": {\"h\": %u, \"d_state\": %u, \"complex\": %s, \"a_scope\": \"%s\", \"b_weight\": %s, ", u->h,
           u->d_state, truth(u->complex_state), scope_names[u->a_scope], truth(u->b_weight));
    append(to, "\"b_bias\": %s, \"c\": \"%s\", \"c_complex\": %s, \"delta\": \"%s\", \"dt_rank\": %u, ",
           truth(u->b_bias), u->c_selective ? "selective" : "constant", truth(u->c_complex), delta_names[u->delta],
           u->dt_rank);
    append(to, "\"discretization\": \"%s\", \"conjugate\": %s, \"skip\": %s, \"states\": \"%s\"}", u->euler ? "euler" : "zoh",
           truth(u->conjugate), truth(u->skip), u->plain_states ? "plain" : "compensated");
}

/* The configuration as JSON. Its quotes are escaped, since it is inside a JSON string. */
static void append_config(text *to, const model_config *c)
{
    text json = { NULL, 0 };
    append(&json, "{\"b2s6\": 1, \"d_model\": %u, \"n_layers\": %u, \"input\": {\"kind\": \"%s\", \"size\": %u}, ",
           c->d_model, c->n_layers, c->input_kind == B2S6_TOKENS ? "tokens" : "features", c->input_size);
    append_layer(&json, c);
    append(&json, ", \"final_norm\": {\"kind\": \"%s\", \"eps\": %.17g}, ", norm_names[c->final_norm], c->final_norm_eps);
    append(&json, "\"pool\": \"%s\", \"head\": {\"size\": %u, \"bias\": %s, \"tied\": %s}", pool_names[c->pool],
           c->head_size, truth(c->head_bias), truth(c->head_tied));
    for (uint32_t l = 0; c->layers_differ && l < c->n_layers; l++) {
        const model_config layer = config_of_layer(c, l);
        append(&json, l ? ", {" : ", \"layers\": [{");
        append_layer(&json, &layer);
        append(&json, l + 1 < c->n_layers ? "}" : "}]");
    }
    append(&json, "}");
    for (size_t i = 0; i < json.size; i++)
        append(to, json.bytes[i] == '"' ? "\\%c" : "%c", json.bytes[i]);
    free(json.bytes);
}

static void put_le(unsigned char *to, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

unsigned char *trained_write_tensors(const trained_model *model, const char *metadata, size_t *size)
{
    text json = { NULL, 0 };
    size_t offset = 0;
    unsigned char *file, *to;
    append(&json, "{\"__metadata__\": %s", metadata);
    for (size_t i = 0; i < model->n_tensors; i++) {
        const trained_tensor *t = &model->tensors[i];
        append(&json, ", \"%s\": {\"dtype\": \"F32\", \"shape\": [", t->name);
        for (size_t k = 0; k < t->rank; k++)
            append(&json, k ? ", %zu" : "%zu", t->shape[k]);
        append(&json, "], \"data_offsets\": [%zu, %zu]}", offset, offset + 4 * t->count);
        offset += 4 * t->count;
    }
    append(&json, "}");
    while (json.size % 8 != 0)
        append(&json, " ");
    *size = 8 + json.size + offset;
    to = file = (unsigned char *)must(malloc(*size));
    put_le(to, json.size, 8);
    memcpy(to + 8, json.bytes, json.size);
    to += 8 + json.size;
    free(json.bytes);
    for (size_t i = 0; i < model->n_tensors; i++)
        for (size_t k = 0; k < model->tensors[i].count; k++, to += 4) {
            uint32_t bits;
            memcpy(&bits, model->tensors[i].values + k, 4);
            put_le(to, bits, 4);
        }
    return file;
}

unsigned char *trained_write(const trained_model *model, size_t *size)
{
    text metadata = { NULL, 0 };
    unsigned char *file;
    append(&metadata, "{\"b2s6\": \"");
    append_config(&metadata, &model->config);
    append(&metadata, model->note[0] ? "\", \"note\": \"%s\"}" : "\"}", model->note);
    file = trained_write_tensors(model, metadata.bytes, size);
    free(metadata.bytes);
    return file;
}
