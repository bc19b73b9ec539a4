/*
 * checkpoint_kind.c - which reader a folder's config.json asks for
 *
 * Hugging Face's say "model_type". The original ones of state-spaces/mamba have d_model and n_layer instead, and name the mixer
 * in ssm_cfg.layer.
 */
#include <string.h>

#include "../support/json_fields.h"
#include "checkpoint.h"

typedef struct kind_keys {
    json model_type, d_model, n_layer;
} kind_keys;

enum { MODEL_TYPE, D_MODEL, N_LAYER, N_KEYS };
#define KEY(name) { #name, FIELD_ANY, offsetof(kind_keys, name), 0, 0, 0, NULL }
static const json_field keys[N_KEYS] = { KEY(model_type), KEY(d_model), KEY(n_layer) };

int checkpoint_read_configured(checkpoint *ck, const tensor_source *source, json config, message *m)
{
    char inner_text[200];
    message inner = { inner_text, sizeof inner_text };
    kind_keys found;
    uint32_t present = 0;
    if (json_kind_of(config) != JSON_OBJECT)
        return complain(m, "config.json: it is not a JSON object");
    if (json_read_fields(config, "", keys, N_KEYS, 0, &found, &present, &inner) != 0)
        return complain(m, "config.json: %s", inner_text);
    if (present & 1u << MODEL_TYPE && json_kind_of(found.model_type) == JSON_STRING && json_equals(found.model_type, "mamba2"))
        return checkpoint_read_hf_mamba2(ck, source, config, m);
    if (present & 1u << MODEL_TYPE || !(present & (1u << D_MODEL | 1u << N_LAYER)))
        return checkpoint_read_hf_mamba(ck, source, config, m);
    return checkpoint_read_ss_mamba2(ck, source, config, m);
}
