/*
 * checkpoint_hf_mamba.c - reads Hugging Face's MambaForCausalLM: config.json and the tensors of its weight files
 */
#include <string.h>

#include "../support/json_fields.h"
#include "checkpoint.h"
#include "take_backbone.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* config.json, as far as it changes what the model computes; what else stands there is skipped, as its own library does. */
typedef struct hf_config {
    uint32_t hidden_size, state_size, num_hidden_layers, vocab_size, intermediate_size, conv_kernel;
    uint32_t use_bias, use_conv_bias, tie_word_embeddings;
    double expand, layer_norm_epsilon;
    json model_type, hidden_act, time_step_rank, architectures, quantization_config;
} hf_config;

#define HF(name, type, required, low, high) { #name, type, offsetof(hf_config, name), required, low, high, NULL }
enum { INTERMEDIATE_SIZE = 5, HIDDEN_ACT = 12, TIME_STEP_RANK = 13, ARCHITECTURES = 14, QUANTIZATION_CONFIG = 15 };
static const json_field fields[] = {
    HF(model_type, FIELD_ANY, 1, 0, 0),
    HF(hidden_size, FIELD_UNSIGNED, 1, 1, 65536),
    HF(state_size, FIELD_UNSIGNED, 1, 1, 4096),
    HF(num_hidden_layers, FIELD_UNSIGNED, 1, 1, 4096),
    HF(vocab_size, FIELD_UNSIGNED, 1, 1, 1u << 24),
    HF(intermediate_size, FIELD_UNSIGNED, 0, 1, 65536),
    HF(conv_kernel, FIELD_UNSIGNED, 0, 1, 64),
    HF(use_bias, FIELD_BOOLEAN, 0, 0, 0),
    HF(use_conv_bias, FIELD_BOOLEAN, 0, 0, 0),
    HF(tie_word_embeddings, FIELD_BOOLEAN, 0, 0, 0),
    HF(expand, FIELD_REAL, 0, 0, 0),
    HF(layer_norm_epsilon, FIELD_REAL, 0, 0, 0),
    HF(hidden_act, FIELD_ANY, 0, 0, 0),
    HF(time_step_rank, FIELD_ANY, 0, 0, 0),
    HF(architectures, FIELD_ANY, 0, 0, 0),
    HF(quantization_config, FIELD_ANY, 0, 0, 0),
};

/* What Hugging Face takes where config.json is silent. */
static const hf_config defaults = {
    .conv_kernel = 4, .use_conv_bias = 1, .tie_word_embeddings = 1, .expand = 2, .layer_norm_epsilon = 1e-5
};

static int is_string(json value, const char *text)
{
    return json_kind_of(value) == JSON_STRING && json_equals(value, text);
}

/* A value of config.json for a message: itself if it is short. */
static int refuse(const char *key, json value, const char *needed, message *m)
{
    return complain(m, "%s is %.*s, only %s can be converted", key, (int)(value.size < 60 ? value.size : 60), value.text, needed);
}

static int check_architecture(const hf_config *hf, uint32_t present, message *m)
{
    json first = { NULL, 0 };
    if (present & 1u << ARCHITECTURES && json_kind_of(hf->architectures) == JSON_ARRAY) {
        json_walk walk = json_begin(hf->architectures);
        if (json_next(&walk, NULL, &first) && !is_string(first, "MambaForCausalLM"))
            return refuse("architectures", first, "\"MambaForCausalLM\"", m);
    }
    if (present & 1u << HIDDEN_ACT && !is_string(hf->hidden_act, "silu"))
        return refuse("hidden_act", hf->hidden_act, "\"silu\"", m);
    if (present & 1u << QUANTIZATION_CONFIG && json_kind_of(hf->quantization_config) != JSON_NULL)
        return complain(m, "quantization_config: quantized weights cannot be converted");
    return 0;
}

/* The sizes that may be given in another way than as a number. */
static int read_sizes(checkpoint_layer_config *c, const hf_config *hf, uint32_t present, message *m)
{
    uint64_t rank;
    if (present & 1u << INTERMEDIATE_SIZE) {
        c->d_inner = hf->intermediate_size;
    } else {
        if (!(hf->expand * hf->hidden_size >= 1 && hf->expand * hf->hidden_size <= 65536))
            return complain(m, "expand times hidden_size is not from 1 to 65536");
        c->d_inner = (uint32_t)(hf->expand * hf->hidden_size);
    }
    if (!(present & 1u << TIME_STEP_RANK) || is_string(hf->time_step_rank, "auto"))
        c->dt_rank = (hf->hidden_size + 15) / 16;
    else if (json_unsigned(hf->time_step_rank, &rank) && rank >= 1 && rank <= 65536)
        c->dt_rank = (uint32_t)rank;
    else
        return complain(m, "time_step_rank is neither \"auto\" nor an integer from 1 to 65536");
    return 0;
}

/* All layers are alike; l is what they are. */
static int read_config(checkpoint_config *c, checkpoint_layer_config *l, hf_config *hf, json object, message *m)
{
    uint32_t present;
    *hf = defaults;
    if (json_kind_of(object) != JSON_OBJECT)
        return complain(m, "it is not a JSON object");
    if (json_read_fields(object, "", fields, 1, 0, hf, &present, m) != 0)
        return -1;
    if (!is_string(hf->model_type, "mamba"))  /* before the other keys, which other models have others of */
        return refuse("model_type", hf->model_type, "\"mamba\"", m);
    if (json_read_fields(object, "", fields, COUNT(fields), 0, hf, &present, m) != 0 ||
        check_architecture(hf, present, m) != 0 || read_sizes(l, hf, present, m) != 0)
        return -1;
    c->d_model = hf->hidden_size;
    c->n_layers = hf->num_hidden_layers;
    c->input_kind = B2S6_TOKENS;
    c->input_size = c->head_size = hf->vocab_size;
    c->head_tied = hf->tie_word_embeddings;
    c->final_norm = l->norm = B2S6_NORM_RMS;
    c->final_norm_eps = l->norm_eps = hf->layer_norm_epsilon;
    l->d_conv = hf->conv_kernel;
    l->in_proj_bias = l->out_proj_bias = hf->use_bias;
    l->d_state = hf->state_size;
    set_mamba1(l);
    return checkpoint_check_config(c, m) != 0 ? -1 : checkpoint_check_layer(l, c, m);
}

int checkpoint_read_hf_mamba(checkpoint *ck, const tensor_source *source, json config, message *m)
{
    char inner_text[200];
    message inner = { inner_text, sizeof inner_text };
    checkpoint_layer_config layer_config;
    hf_config hf;
    tensor_taker b = { source, m, "", 0 };
    memset(&layer_config, 0, sizeof layer_config);
    if (read_config(&ck->config, &layer_config, &hf, config, &inner) != 0)
        return complain(m, "config.json: %s", inner_text);
    if (checkpoint_allocate(ck, &layer_config, m) != 0)
        return -1;
    take_backbone_ends(&b, ck, "tie_word_embeddings");
    for (uint32_t i = 0; i < ck->config.n_layers && !b.failed; i++) {
        checkpoint_layer *layer = &ck->layers[i];
        take_backbone_norm(&b, ck, layer, i);
        take_layer_prefix(&b, "backbone.layers.", i, ".mixer.");
        take_mamba1_mixer(&b, layer, ck->config.d_model, (int)hf.use_conv_bias);
    }
    return taker_finish(&b);
}
