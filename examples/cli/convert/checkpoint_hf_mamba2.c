/*
 * checkpoint_hf_mamba2.c - reads Hugging Face's Mamba2ForCausalLM: config.json and the tensors of its weight files
 *
 * Its gated norm comes after the gate and spans the whole width, whatever n_groups is; rms_norm and norm_before_gate, which
 * config.json has, are read by nobody.
 */
#include <string.h>

#include "../support/json_fields.h"
#include "take_mamba2.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* config.json, as far as it changes what the model computes; what else is there is skipped, as its own library does. */
typedef struct hf_config {
    uint32_t hidden_size, state_size, num_hidden_layers, vocab_size, num_heads, head_dim, n_groups, conv_kernel;
    uint32_t use_bias, use_conv_bias, tie_word_embeddings;
    double expand, layer_norm_epsilon;
    json time_step_limit, hidden_act, architectures, quantization_config;
} hf_config;

#define HF(name, type, low, high) { #name, type, offsetof(hf_config, name), 0, low, high, NULL }
enum { TIME_STEP_LIMIT, HIDDEN_ACT, ARCHITECTURES, QUANTIZATION_CONFIG };
static const json_field fields[] = {
    HF(time_step_limit, FIELD_ANY, 0, 0),
    HF(hidden_act, FIELD_ANY, 0, 0),
    HF(architectures, FIELD_ANY, 0, 0),
    HF(quantization_config, FIELD_ANY, 0, 0),
    HF(hidden_size, FIELD_UNSIGNED, 1, 65536),
    HF(state_size, FIELD_UNSIGNED, 1, 4096),
    HF(num_hidden_layers, FIELD_UNSIGNED, 1, 4096),
    HF(vocab_size, FIELD_UNSIGNED, 1, 1u << 24),
    HF(num_heads, FIELD_UNSIGNED, 1, 65536),
    HF(head_dim, FIELD_UNSIGNED, 1, 65536),
    HF(n_groups, FIELD_UNSIGNED, 1, 65536),
    HF(conv_kernel, FIELD_UNSIGNED, 1, 64),
    HF(use_bias, FIELD_BOOLEAN, 0, 0),
    HF(use_conv_bias, FIELD_BOOLEAN, 0, 0),
    HF(tie_word_embeddings, FIELD_BOOLEAN, 0, 0),
    HF(expand, FIELD_REAL, 0, 0),
    HF(layer_norm_epsilon, FIELD_REAL, 0, 0),
};

/* What Hugging Face takes where config.json is silent. */
static const hf_config defaults = {
    .hidden_size = 4096, .state_size = 128, .num_hidden_layers = 64, .vocab_size = 32768, .num_heads = 128, .head_dim = 64,
    .n_groups = 8, .conv_kernel = 4, .use_conv_bias = 1, .expand = 2, .layer_norm_epsilon = 1e-5
};

/* A value of config.json for a message: itself if it is short. */
static int refuse(const char *key, json value, const char *needed, message *m)
{
    return complain(m, "%s is %.*s, only %s can be converted", key, (int)(value.size < 60 ? value.size : 60), value.text,
                    needed);
}

static int is_string(json value, const char *text)
{
    return json_kind_of(value) == JSON_STRING && json_equals(value, text);
}

static int check_architecture(const hf_config *hf, uint32_t present, message *m)
{
    json first = { NULL, 0 };
    if (present & 1u << ARCHITECTURES && json_kind_of(hf->architectures) == JSON_ARRAY) {
        json_walk walk = json_begin(hf->architectures);
        if (json_next(&walk, NULL, &first) && !is_string(first, "Mamba2ForCausalLM"))
            return refuse("architectures", first, "\"Mamba2ForCausalLM\"", m);
    }
    if (present & 1u << HIDDEN_ACT && !is_string(hf->hidden_act, "silu"))
        return refuse("hidden_act", hf->hidden_act, "\"silu\"", m);
    if (present & 1u << QUANTIZATION_CONFIG && json_kind_of(hf->quantization_config) != JSON_NULL)
        return complain(m, "quantization_config: quantized weights cannot be converted");
    return 0;
}

static int read_sizes(checkpoint_layer_config *l, const hf_config *hf, message *m)
{
    const uint64_t width = (uint64_t)hf->num_heads * hf->head_dim;
    const double expanded = hf->expand * hf->hidden_size;
    if (!(expanded >= (double)width && expanded < (double)width + 1))
        return complain(m, "num_heads times head_dim is %llu, but expand times hidden_size %g", (unsigned long long)width,
                        expanded);
    if (width > 65536)
        return complain(m, "num_heads times head_dim is %llu, not up to 65536", (unsigned long long)width);
    l->d_inner = (uint32_t)width;
    l->h = hf->num_heads;
    l->d_state = hf->state_size;
    l->n_groups = hf->n_groups;
    l->d_conv = hf->conv_kernel;
    return 0;
}

/* All layers are alike; l is what they are. */
static int read_config(checkpoint_config *c, checkpoint_layer_config *l, hf_config *hf, json object, message *m)
{
    uint32_t present;
    *hf = defaults;
    set_mamba2(l);
    if (json_read_fields(object, "", fields, COUNT(fields), 0, hf, &present, m) != 0 ||
        check_architecture(hf, present, m) != 0 || read_sizes(l, hf, m) != 0)
        return -1;
    if (present & 1u << TIME_STEP_LIMIT && read_delta_limits(l, hf->time_step_limit, "time_step_limit", m) != 0)
        return -1;
    c->d_model = hf->hidden_size;
    c->n_layers = hf->num_hidden_layers;
    c->input_kind = B2S6_TOKENS;
    c->input_size = c->head_size = hf->vocab_size;
    c->head_tied = hf->tie_word_embeddings;
    c->final_norm = l->norm = B2S6_NORM_RMS;
    c->final_norm_eps = l->norm_eps = l->gate_eps = hf->layer_norm_epsilon;
    l->gated_norm = B2S6_GATED_NORM_AFTER;
    l->in_proj_bias = l->out_proj_bias = hf->use_bias;
    return checkpoint_check_config(c, m) != 0 ? -1 : checkpoint_check_layer(l, c, m);
}

int checkpoint_read_hf_mamba2(checkpoint *ck, const tensor_source *source, json config, message *m)
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
        take_backbone_norm(&b, ck, &ck->layers[i], i);
        take_mamba2_mixer(&b, &ck->layers[i], ck->config.d_model, (int)hf.use_conv_bias);
    }
    return taker_finish(&b);
}
