/*
 * checkpoint_ss_mamba1.c - reads an original Mamba-1 folder, as state-spaces/mamba saves it: config.json and the tensors
 *
 * Its config.json becomes the arguments of a constructor that takes no others, so a key that is not here is an error, and one
 * that is not there has the constructor's default.
 */
#include <string.h>

#include "../support/json_fields.h"
#include "checkpoint.h"
#include "take_backbone.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct ss_config {
    uint32_t d_model, n_layer, vocab_size, pad_vocab_size_multiple, d_intermediate;
    uint32_t rms_norm, tie_embeddings;
    json ssm_cfg, attn_layer_idx, ignored;
} ss_config;

/* ssm_cfg */
typedef struct ss_mamba1 {
    uint32_t d_state, d_conv, conv_bias, bias;
    double expand;
    json dt_rank, ignored;
} ss_mamba1;

/* What stands there without changing what the model computes goes to ignored. */
#define SS(name, type, required, low, high) { #name, type, offsetof(ss_config, name), required, low, high, NULL }
#define SS_IGNORED(name) { name, FIELD_ANY, offsetof(ss_config, ignored), 0, 0, 0, NULL }
static const json_field fields[] = {
    SS(d_model, FIELD_UNSIGNED, 1, 1, 65536),
    SS(n_layer, FIELD_UNSIGNED, 1, 1, 4096),
    SS(vocab_size, FIELD_UNSIGNED, 1, 1, 1u << 24),
    SS(pad_vocab_size_multiple, FIELD_UNSIGNED, 0, 1, 65536),
    SS(d_intermediate, FIELD_UNSIGNED, 0, 0, 1u << 24),
    SS(rms_norm, FIELD_BOOLEAN, 0, 0, 0),
    SS(tie_embeddings, FIELD_BOOLEAN, 0, 0, 0),
    SS(ssm_cfg, FIELD_ANY, 0, 0, 0),
    SS(attn_layer_idx, FIELD_ANY, 0, 0, 0),
    SS_IGNORED("attn_cfg"),
    SS_IGNORED("residual_in_fp32"),
    SS_IGNORED("fused_add_norm"),
};
static const ss_config defaults = {
    .pad_vocab_size_multiple = 8, .rms_norm = 1, .tie_embeddings = 1, .ssm_cfg = { "null", 4 }
};

#define SSM(name, type, low, high) { #name, type, offsetof(ss_mamba1, name), 0, low, high, NULL }
#define SSM_IGNORED(name) { name, FIELD_ANY, offsetof(ss_mamba1, ignored), 0, 0, 0, NULL }
enum { DT_RANK = 5 };
static const json_field mixer_fields[] = {
    SSM(d_state, FIELD_UNSIGNED, 1, 4096),
    SSM(d_conv, FIELD_UNSIGNED, 1, 64),
    SSM(conv_bias, FIELD_BOOLEAN, 0, 0),
    SSM(bias, FIELD_BOOLEAN, 0, 0),
    SSM(expand, FIELD_REAL, 0, 0),
    SSM(dt_rank, FIELD_ANY, 0, 0),
    SSM_IGNORED("layer"),
    SSM_IGNORED("dt_min"),
    SSM_IGNORED("dt_max"),
    SSM_IGNORED("dt_init"),
    SSM_IGNORED("dt_scale"),
    SSM_IGNORED("dt_init_floor"),
    SSM_IGNORED("use_fast_path"),
};
static const ss_mamba1 mixer_defaults = { .d_state = 16, .d_conv = 4, .conv_bias = 1, .expand = 2 };

static int read_mixer(checkpoint_layer_config *l, ss_mamba1 *mixer, const ss_config *ss, message *m)
{
    uint32_t present = 0;
    uint64_t rank;
    *mixer = mixer_defaults;
    if (json_kind_of(ss->ssm_cfg) != JSON_NULL && json_kind_of(ss->ssm_cfg) != JSON_OBJECT)
        return complain(m, "ssm_cfg is not an object");
    if (json_kind_of(ss->ssm_cfg) == JSON_OBJECT &&
        json_read_fields(ss->ssm_cfg, "ssm_cfg", mixer_fields, COUNT(mixer_fields), 1, mixer, &present, m) != 0)
        return -1;
    if (!(mixer->expand * ss->d_model >= 1 && mixer->expand * ss->d_model <= 65536))
        return complain(m, "ssm_cfg.expand times d_model is not from 1 to 65536");
    l->d_inner = (uint32_t)(mixer->expand * ss->d_model);
    if (!(present & 1u << DT_RANK) ||
        (json_kind_of(mixer->dt_rank) == JSON_STRING && json_equals(mixer->dt_rank, "auto")))
        l->dt_rank = (ss->d_model + 15) / 16;
    else if (json_kind_of(mixer->dt_rank) == JSON_NUMBER && json_unsigned(mixer->dt_rank, &rank) && rank >= 1 && rank <= 65536)
        l->dt_rank = (uint32_t)rank;
    else
        return complain(m, "ssm_cfg.dt_rank is neither \"auto\" nor an integer from 1 to 65536");
    l->d_conv = mixer->d_conv;
    l->d_state = mixer->d_state;
    l->in_proj_bias = l->out_proj_bias = mixer->bias;
    set_mamba1(l);
    return 0;
}

/* Embedding, head and logits have a row for each token of the vocabulary, rounded up. */
static int read_vocabulary(checkpoint_config *c, const ss_config *ss, message *m)
{
    const uint32_t multiple = ss->pad_vocab_size_multiple;
    const uint32_t padded = (ss->vocab_size + multiple - 1) / multiple * multiple;
    if (padded > 1u << 24)
        return complain(m, "vocab_size, padded to a multiple of pad_vocab_size_multiple, is %lu, not up to 16777216",
                        (unsigned long)padded);
    c->input_kind = B2S6_TOKENS;
    c->input_size = c->head_size = padded;
    c->head_tied = ss->tie_embeddings;
    return 0;
}

/* All layers are alike; l is what they are. */
static int read_config(checkpoint_config *c, checkpoint_layer_config *l, ss_mamba1 *mixer, json object, message *m)
{
    ss_config ss = defaults;
    uint32_t present;
    if (json_read_fields(object, "", fields, COUNT(fields), 1, &ss, &present, m) != 0 || read_vocabulary(c, &ss, m) != 0 ||
        read_mixer(l, mixer, &ss, m) != 0)
        return -1;
    if (ss.d_intermediate != 0)
        return complain(m, "d_intermediate is %lu: Mamba-1 layers with an MLP cannot be converted, only those without (0)",
                        (unsigned long)ss.d_intermediate);
    c->d_model = ss.d_model;
    c->n_layers = ss.n_layer;
    c->final_norm = l->norm = ss.rms_norm ? B2S6_NORM_RMS : B2S6_NORM_LAYER;
    c->final_norm_eps = l->norm_eps = 1e-5;  /* fixed in the original code */
    return checkpoint_check_config(c, m) != 0 ? -1 : checkpoint_check_layer(l, c, m);
}

int checkpoint_read_ss_mamba1(checkpoint *ck, const tensor_source *source, json config, message *m)
{
    checkpoint_layer_config layer_config;
    ss_mamba1 mixer;
    tensor_taker b = { source, m, "", 0 };
    char inner_text[200];
    message inner = { inner_text, sizeof inner_text };
    memset(&layer_config, 0, sizeof layer_config);
    if (read_config(&ck->config, &layer_config, &mixer, config, &inner) != 0)
        return complain(m, "config.json: %s", inner_text);
    if (checkpoint_allocate(ck, &layer_config, m) != 0)
        return -1;
    take_backbone_ends(&b, ck, "tie_embeddings");
    for (uint32_t i = 0; i < ck->config.n_layers && !b.failed; i++) {
        take_backbone_norm(&b, ck, &ck->layers[i], i);
        take_mamba1_mixer(&b, &ck->layers[i], ck->config.d_model, (int)mixer.conv_bias);
    }
    return taker_finish(&b);
}
