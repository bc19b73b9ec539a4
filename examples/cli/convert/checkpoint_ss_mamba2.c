/*
 * checkpoint_ss_mamba2.c - reads an original Mamba-2 folder, as state-spaces/mamba saves it: config.json and the tensors
 *
 * Its config.json becomes the arguments of a constructor that takes no others, so a key that is not here is an error, and one
 * that is not there has the constructor's default. With d_intermediate, a layer is two of the model's: the mixer and its MLP.
 */
#include <string.h>

#include "../support/json_fields.h"
#include "take_mamba2.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct ss_config {
    uint32_t d_model, n_layer, vocab_size, pad_vocab_size_multiple, d_intermediate;
    uint32_t rms_norm, tie_embeddings;
    json ssm_cfg, ignored;
} ss_config;

/* ssm_cfg */
typedef struct ss_mamba2 {
    uint32_t d_state, d_conv, headdim, ngroups, d_has_hdim, rmsnorm, norm_before_gate, bias, conv_bias;
    double expand;
    json d_ssm, dt_limit, ignored;
} ss_mamba2;

/* What is there without changing what the model computes goes to ignored. */
#define SS(name, type, low, high) { #name, type, offsetof(ss_config, name), 0, low, high, NULL }
#define SS_IGNORED(name) { name, FIELD_ANY, offsetof(ss_config, ignored), 0, 0, 0, NULL }
static const json_field fields[] = {
    SS(d_model, FIELD_UNSIGNED, 1, 65536),
    SS(n_layer, FIELD_UNSIGNED, 1, 4096),
    SS(vocab_size, FIELD_UNSIGNED, 1, 1u << 24),
    SS(pad_vocab_size_multiple, FIELD_UNSIGNED, 1, 65536),
    SS(d_intermediate, FIELD_UNSIGNED, 0, 65536),
    SS(rms_norm, FIELD_BOOLEAN, 0, 0),
    SS(tie_embeddings, FIELD_BOOLEAN, 0, 0),
    SS(ssm_cfg, FIELD_OBJECT, 0, 0),
    SS_IGNORED("attn_layer_idx"), /* empty, as checkpoint_kind.c has seen */
    SS_IGNORED("attn_cfg"),
    SS_IGNORED("residual_in_fp32"),
    SS_IGNORED("fused_add_norm"),
};
static const ss_config defaults = {
    .d_model = 2560, .n_layer = 64, .vocab_size = 50277, .pad_vocab_size_multiple = 8, .rms_norm = 1, .tie_embeddings = 1
};

#define SSM(name, type, low, high) { #name, type, offsetof(ss_mamba2, name), 0, low, high, NULL }
#define SSM_IGNORED(name) { name, FIELD_ANY, offsetof(ss_mamba2, ignored), 0, 0, 0, NULL }
enum { D_SSM, DT_LIMIT };
static const json_field mixer_fields[] = {
    SSM(d_ssm, FIELD_ANY, 0, 0),
    SSM(dt_limit, FIELD_ANY, 0, 0),
    SSM(d_state, FIELD_UNSIGNED, 1, 4096),
    SSM(d_conv, FIELD_UNSIGNED, 1, 64),
    SSM(expand, FIELD_REAL, 0, 0),
    SSM(headdim, FIELD_UNSIGNED, 1, 65536),
    SSM(ngroups, FIELD_UNSIGNED, 1, 65536),
    { "D_has_hdim", FIELD_BOOLEAN, offsetof(ss_mamba2, d_has_hdim), 0, 0, 0, NULL },
    SSM(rmsnorm, FIELD_BOOLEAN, 0, 0),
    SSM(norm_before_gate, FIELD_BOOLEAN, 0, 0),
    SSM(bias, FIELD_BOOLEAN, 0, 0),
    SSM(conv_bias, FIELD_BOOLEAN, 0, 0),
    SSM_IGNORED("layer"), /* "Mamba2": checkpoint_kind.c has chosen this reader by it */
    SSM_IGNORED("conv_init"),
    SSM_IGNORED("A_init_range"),
    SSM_IGNORED("dt_min"),
    SSM_IGNORED("dt_max"),
    SSM_IGNORED("dt_init_floor"),
    SSM_IGNORED("chunk_size"),
    SSM_IGNORED("use_mem_eff_path"),
    SSM_IGNORED("sequence_parallel"),
};
static const ss_mamba2 mixer_defaults = {
    .d_state = 128, .d_conv = 4, .headdim = 64, .ngroups = 1, .rmsnorm = 1, .conv_bias = 1, .expand = 2
};

/* The widths: d_ssm of d_inner = expand d_model go through the recurrence, the rest through a gated MLP beside it. */
static int read_widths(checkpoint_layer_config *l, const ss_mamba2 *s, uint32_t d_model, uint32_t present, message *m)
{
    const double expanded = s->expand * d_model;
    uint64_t d_ssm;
    uint32_t d_inner;
    if (!(expanded >= 1 && expanded <= 65536))
        return complain(m, "ssm_cfg.expand times d_model is not from 1 to 65536");
    d_ssm = d_inner = (uint32_t)expanded;
    if (present & 1u << D_SSM && json_kind_of(s->d_ssm) != JSON_NULL &&
        !(json_unsigned(s->d_ssm, &d_ssm) && d_ssm >= 1 && d_ssm <= d_inner))
        return complain(m, "ssm_cfg.d_ssm is not an integer from 1 to %u, expand times d_model", (unsigned)d_inner);
    if (d_ssm % s->headdim != 0)
        return complain(m, "ssm_cfg.headdim %u does not divide the width %u", (unsigned)s->headdim, (unsigned)d_ssm);
    l->d_inner = (uint32_t)d_ssm;
    l->d_mlp = d_inner - (uint32_t)d_ssm;
    l->h = (uint32_t)d_ssm / s->headdim;
    return 0;
}

static int read_mixer(checkpoint_layer_config *l, ss_mamba2 *s, json ssm_cfg, uint32_t d_model, message *m)
{
    uint32_t present;
    *s = mixer_defaults;
    set_mamba2(l);
    if (json_read_fields(ssm_cfg, "ssm_cfg", mixer_fields, COUNT(mixer_fields), 1, s, &present, m) != 0 ||
        read_widths(l, s, d_model, present, m) != 0)
        return -1;
    if (present & 1u << DT_LIMIT && read_delta_limits(l, s->dt_limit, "ssm_cfg.dt_limit", m) != 0)
        return -1;
    l->d_state = s->d_state;
    l->d_conv = s->d_conv;
    l->n_groups = s->ngroups;
    l->in_proj_bias = l->out_proj_bias = s->bias;
    l->d_channels = s->d_has_hdim;
    l->gated_norm = !s->rmsnorm ? B2S6_GATED_NORM_NONE : s->norm_before_gate ? B2S6_GATED_NORM_BEFORE : B2S6_GATED_NORM_AFTER;
    l->norm_groups = s->rmsnorm ? s->ngroups : 1;
    l->gate_eps = s->rmsnorm ? 1e-5 : 0; /* fixed in the original code */
    return 0;
}

/* Embedding, head and logits have a row for each token of the vocabulary, rounded up. */
static int read_vocabulary(checkpoint_config *c, const ss_config *ss, message *m)
{
    const uint32_t multiple = ss->pad_vocab_size_multiple, padded = (ss->vocab_size + multiple - 1) / multiple * multiple;
    if (padded > 1u << 24)
        return complain(m, "vocab_size, padded to a multiple of pad_vocab_size_multiple, is %lu, not up to 16777216",
                        (unsigned long)padded);
    c->input_kind = B2S6_TOKENS;
    c->input_size = c->head_size = padded;
    c->head_tied = ss->tie_embeddings;
    return 0;
}

/* l is what the mixers are, mlp what follows each of them if mlp->d_inner is not 0. */
static int read_config(checkpoint_config *c, checkpoint_layer_config *l, checkpoint_layer_config *mlp, ss_mamba2 *mixer,
                       json object, message *m)
{
    ss_config ss = defaults;
    uint32_t present;
    if (json_read_fields(object, "", fields, COUNT(fields), 1, &ss, &present, m) != 0)
        return -1;
    if (read_vocabulary(c, &ss, m) != 0 || read_mixer(l, mixer, ss.ssm_cfg, ss.d_model, m) != 0)
        return -1;
    c->d_model = ss.d_model;
    c->n_layers = ss.d_intermediate ? 2 * ss.n_layer : ss.n_layer;
    c->final_norm = l->norm = mlp->norm = ss.rms_norm ? B2S6_NORM_RMS : B2S6_NORM_LAYER;
    c->final_norm_eps = l->norm_eps = mlp->norm_eps = 1e-5; /* fixed in the original code */
    mlp->block = B2S6_BLOCK_MLP;
    mlp->d_inner = (ss.d_intermediate + 127) / 128 * 128;
    if (checkpoint_check_config(c, m) != 0 || checkpoint_check_layer(l, c, m) != 0)
        return -1;
    return mlp->d_inner ? checkpoint_check_layer(mlp, c, m) : 0;
}

/* The MLP of layer number index: its norm and its two matrices, value above gate in the first. */
static void take_mlp(tensor_taker *b, const checkpoint *ck, checkpoint_layer *layer, unsigned index)
{
    const size_t d = ck->config.d_model, width = layer->config.d_inner;
    take_layer_prefix(b, "backbone.layers.", index, ".norm2.");
    take_tensor(b, &layer->norm.weight, "weight", SHAPE(d));
    if (layer->config.norm == B2S6_NORM_LAYER)
        take_tensor(b, &layer->norm.bias, "bias", SHAPE(d));
    take_layer_prefix(b, "backbone.layers.", index, ".mlp.");
    take_tensor(b, &layer->in_proj, "fc1.weight", SHAPE(2 * width, d));
    take_tensor(b, &layer->out, "fc2.weight", SHAPE(d, width));
}

int checkpoint_read_ss_mamba2(checkpoint *ck, const tensor_source *source, json config, message *m)
{
    checkpoint_layer_config layer_config, mlp_config;
    ss_mamba2 mixer;
    tensor_taker b = { source, m, "", 0 };
    char inner_text[200];
    message inner = { inner_text, sizeof inner_text };
    uint32_t each;
    memset(&layer_config, 0, sizeof layer_config);
    memset(&mlp_config, 0, sizeof mlp_config);
    if (read_config(&ck->config, &layer_config, &mlp_config, &mixer, config, &inner) != 0)
        return complain(m, "config.json: %s", inner_text);
    if (checkpoint_allocate(ck, &layer_config, m) != 0)
        return -1;
    take_backbone_ends(&b, ck, "tie_embeddings");
    each = mlp_config.d_inner ? 2 : 1;
    for (uint32_t i = 0; i < ck->config.n_layers / each && !b.failed; i++) {
        take_backbone_norm(&b, ck, &ck->layers[each * i], i);
        take_mamba2_mixer(&b, &ck->layers[each * i], ck->config.d_model, (int)mixer.conv_bias);
        if (each == 2) {
            ck->layers[2 * i + 1].config = mlp_config;
            take_mlp(&b, ck, &ck->layers[2 * i + 1], i);
        }
    }
    return taker_finish(&b);
}
