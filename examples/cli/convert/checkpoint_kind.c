/*
 * checkpoint_kind.c - which reader a folder's config.json asks for
 *
 * Hugging Face's say "model_type". The original ones of state-spaces/mamba have d_model and n_layer instead, and name the
 * mixer in ssm_cfg.layer: Mamba1 unless they say another. A kind that becomes readable gets its reader here.
 */
#include <string.h>

#include "../support/json_fields.h"
#include "checkpoint.h"

typedef struct kind_keys {
    json model_type, d_model, n_layer, ssm_cfg, attn_layer_idx, layer;
} kind_keys;

enum { MODEL_TYPE, D_MODEL, N_LAYER, SSM_CFG, ATTN_LAYER_IDX, N_KEYS };
#define KEY(name) { #name, FIELD_ANY, offsetof(kind_keys, name), 0, 0, 0, NULL }
static const json_field keys[N_KEYS] = { KEY(model_type), KEY(d_model), KEY(n_layer), KEY(ssm_cfg), KEY(attn_layer_idx) };
static const json_field layer_key[1] = { KEY(layer) };

/* What a config.json can name, and who reads it. */
typedef struct kind {
    const char *name;
    int (*read)(checkpoint *ck, const tensor_source *source, json config, message *m);
} kind;

/* The model_type of Hugging Face's. */
static const kind model_types[] = {
    { "mamba", checkpoint_read_hf_mamba },
    { "mamba2", checkpoint_read_hf_mamba2 },
};

/* The mixers of original folders; read is NULL for those that there is no reader for. */
static const kind mixers[] = {
    { "Mamba1", checkpoint_read_ss_mamba1 },
    { "Mamba2", checkpoint_read_ss_mamba2 },
    { "Mamba3", NULL },
};

/* The row of the mixer that ssm_cfg names; NULL, with the line in m, if it names none of them. */
static const kind *find_mixer(const kind_keys *found, uint32_t present, message *m)
{
    kind_keys inner;
    uint32_t has_layer = 0;
    if (!(present & 1u << SSM_CFG) || json_kind_of(found->ssm_cfg) != JSON_OBJECT)
        return &mixers[0];  /* its own reader says what is wrong with ssm_cfg */
    if (json_read_fields(found->ssm_cfg, "ssm_cfg", layer_key, 1, 0, &inner, &has_layer, m) != 0)
        return NULL;
    if (!has_layer)
        return &mixers[0];
    for (size_t i = 0; i < sizeof mixers / sizeof mixers[0]; i++)
        if (json_kind_of(inner.layer) == JSON_STRING && json_equals(inner.layer, mixers[i].name))
            return &mixers[i];
    complain(m, "ssm_cfg.layer is %.*s, not one of \"Mamba1\", \"Mamba2\", \"Mamba3\"",
             (int)(inner.layer.size < 60 ? inner.layer.size : 60), inner.layer.text);
    return NULL;
}

static int has_attention(json layers)
{
    json item;
    if (json_kind_of(layers) != JSON_ARRAY)
        return json_kind_of(layers) != JSON_NULL;
    json_walk walk = json_begin(layers);
    return json_next(&walk, NULL, &item);
}

static int read_original(checkpoint *ck, const tensor_source *source, json config, const kind_keys *found, uint32_t present,
                         message *m)
{
    char inner_text[200];
    message inner = { inner_text, sizeof inner_text };
    const kind *mixer;
    if (present & 1u << ATTN_LAYER_IDX && has_attention(found->attn_layer_idx))
        return complain(m, "config.json: attn_layer_idx is not empty: attention layers are no state-space model and cannot be "
                           "converted");
    mixer = find_mixer(found, present, &inner);
    if (!mixer)
        return complain(m, "config.json: %s", inner_text);
    if (!mixer->read)
        return complain(m, "config.json: ssm_cfg.layer is \"%s\", which this version cannot convert", mixer->name);
    return mixer->read(ck, source, config, m);
}

/* Who knows none of these says which there are. */
static int read_hugging_face(checkpoint *ck, const tensor_source *source, json config, json model_type, message *m)
{
    size_t i = sizeof model_types / sizeof model_types[0] - 1;
    while (i > 0 && !(json_kind_of(model_type) == JSON_STRING && json_equals(model_type, model_types[i].name)))
        i--;
    return model_types[i].read(ck, source, config, m);
}

int checkpoint_read_configured(checkpoint *ck, const tensor_source *source, json config, message *m)
{
    char inner_text[200];
    message inner = { inner_text, sizeof inner_text };
    kind_keys found = { .model_type = { "null", 4 } };
    uint32_t present = 0;
    if (json_kind_of(config) != JSON_OBJECT)
        return complain(m, "config.json: it is not a JSON object");
    if (json_read_fields(config, "", keys, N_KEYS, 0, &found, &present, &inner) != 0)
        return complain(m, "config.json: %s", inner_text);
    if (present & 1u << MODEL_TYPE || !(present & (1u << D_MODEL | 1u << N_LAYER | 1u << SSM_CFG)))
        return read_hugging_face(ck, source, config, found.model_type, m);
    return read_original(ck, source, config, &found, present, m);
}
