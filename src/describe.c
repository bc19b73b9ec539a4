/* What a model is: b2s6_model_describe and the metadata. */
#include "model.h"

b2s6_status b2s6_model_describe(const b2s6_model *model, b2s6_model_info *info)
{
    const struct config *c;
    b2s6_model_info full;
    size_t size;

    if (!model || !info || info->struct_size < sizeof info->struct_size)
        return B2S6_ERROR_ARGUMENT;
    c = &model->config;
    memset(&full, 0, sizeof full);
    full.fingerprint = model->fingerprint;
    full.parameter_count = model->parameter_count;
    full.file_size = model->file_bytes;
    full.input_kind = (b2s6_input_kind)c->input_kind;
    full.input_size = c->input_size;
    full.output_size = config_output_size(c);
    full.head_size = c->head_size;
    full.d_model = c->d_model;
    full.n_layers = c->n_layers;
    full.bidirectional = c->bidirectional;
    full.block = (b2s6_block)c->block;
    full.d_inner = c->d_inner;
    full.d_conv = c->d_conv;
    full.norm = (b2s6_norm)c->norm;
    full.norm_post = c->norm_place == NORM_POST;
    full.final_norm = (b2s6_norm)c->final_norm;
    full.pool = (b2s6_pool)c->pool;
    full.head_tied = c->head_tied;
    full.h = c->h;
    full.d_state = c->d_state;
    full.complex_state = c->complex_state;
    full.a_scope = (b2s6_scope)c->a_scope;
    full.b_weight = (c->b & B_HAS_WEIGHT) != 0;
    full.b_bias = (c->b & B_HAS_BIAS) != 0;
    full.c_selective = c->c == C_SELECTIVE;
    full.c_complex = c->c_complex;
    full.delta = (b2s6_delta)c->delta;
    full.dt_rank = c->dt_rank;
    full.euler = c->discretization == EULER;
    full.conjugate = c->conjugate;
    full.skip = c->skip;
    full.metadata_count = model->n_metadata;
    full.weight_type = (b2s6_type)model->weight_type;

    size = info->struct_size;
    full.struct_size = size;
    memcpy(info, &full, size < sizeof full ? size : sizeof full);
    if (size > sizeof full)
        memset((unsigned char *)info + sizeof full, 0, size - sizeof full);
    return B2S6_OK;
}

/* The string behind this one. */
static const char *text_after(const char *text)
{
    while (*text)
        text++;
    return text + 1;
}

const char *b2s6_model_metadata_at(const b2s6_model *model, size_t index, const char **value)
{
    const char *key;

    if (!model || index >= model->n_metadata)
        return NULL;
    key = model->metadata;
    for (; index; index--)
        key = text_after(text_after(key));
    if (value)
        *value = text_after(key);
    return key;
}

const char *b2s6_model_metadata(const b2s6_model *model, const char *key)
{
    const char *each, *value = NULL;
    size_t i;

    if (!model || !key)
        return NULL;
    for (i = 0; (each = b2s6_model_metadata_at(model, i, &value)) != NULL; i++)
        if (b2s6_compare_text(each, key) == 0)
            return value;
    return NULL;
}
