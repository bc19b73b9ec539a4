/*
 * checkpoint.h - a trained model as the converter sees it: a configuration, and a view of each tensor that it needs
 *
 * The readers (checkpoint_b2s6.c, checkpoint_hf_mamba.c, checkpoint_ss_mamba1.c) make one from what they read, with every tensor
 * there and of the right shape; writer_b2s6.c makes a .b2s6 file of it. A tensor that the configuration does without has data = NULL.
 */
#ifndef B2S6_CLI_CHECKPOINT_H
#define B2S6_CLI_CHECKPOINT_H

#include <stdint.h>

#include "b2s6.h"
#include "../support/json.h"
#include "../support/message.h"
#include "tensor_source.h"

/* One layer: its block, the norm around it, and the unit in it. Truth values are 0 or 1. */
typedef struct checkpoint_layer_config {
    uint32_t block;             /* b2s6_block */
    uint32_t bidirectional;
    uint32_t norm;              /* b2s6_norm */
    uint32_t norm_post;
    double norm_eps;
    uint32_t d_inner, d_conv;   /* s4: d_model, 0 */
    uint32_t in_proj_bias, out_proj_bias;
    uint32_t h, d_state, complex_state;
    uint32_t a_scope;           /* b2s6_scope */
    uint32_t b_weight, b_bias;
    uint32_t c_selective, c_complex;
    uint32_t delta;             /* b2s6_delta */
    uint32_t dt_rank;           /* 0 unless delta is low rank */
    uint32_t euler, conjugate, skip;
    uint32_t plain_states;      /* the states hold no rests of their roundings */
    uint32_t d_mlp, n_groups;   /* mamba2, from here on: h heads; what the members above say of A, B, C and delta is not looked at */
    uint32_t gated_norm;        /* b2s6_gated_norm */
    uint32_t norm_groups;       /* 1 without a norm */
    double gate_eps;
    double delta_least, delta_most; /* infinity: no limit */
    uint32_t d_channels;        /* D is one a channel, not one a head */
} checkpoint_layer_config;

/* What is not of one layer. */
typedef struct checkpoint_config {
    uint32_t d_model, n_layers;
    uint32_t input_kind;        /* b2s6_input_kind */
    uint32_t input_size;
    uint32_t head_size, head_bias, head_tied;
    uint32_t final_norm;        /* b2s6_norm */
    double final_norm_eps;
    uint32_t pool;              /* b2s6_pool */
} checkpoint_config;

/* d = d_inner = h p, n = d_state; [2]: a last axis of real and imaginary part if complex */
typedef struct checkpoint_unit {
    tensor a_log, a_imag;       /* (1 | h | d, n) by scope */
    tensor b_weight;            /* (h, n, p[, 2]) */
    tensor b_bias;              /* (h, p, n[, 2]) */
    tensor c;                   /* (h, p, n[, 2]) */
    tensor w;                   /* (h, p) */
    tensor x_weight, dt_weight; /* (dt_rank, d), (d, dt_rank) */
    tensor b;                   /* (h, p); the log of the step if delta is constant */
    tensor d;                   /* (d) */
} checkpoint_unit;

/* (d_model) each; mean and variance of batch norms alone */
typedef struct checkpoint_norm {
    tensor weight, bias, mean, variance;
} checkpoint_norm;

typedef struct checkpoint_layer {
    checkpoint_layer_config config;
    checkpoint_norm norm;
    checkpoint_unit unit, unit_rev;
    tensor in_proj, in_proj_bias;    /* (2 d_inner, d_model), (2 d_inner) */
    tensor conv_weight, conv_bias;   /* (d_inner, d_conv), (d_inner); no bias stands for zero */
    tensor out, out_bias;            /* s4: (2 d_model, d_model), (2 d_model); mamba, mlp: (d_model, d_inner), (d_model) */
    /*
     * mamba2: in_proj's rows are, in order, z0 and x0 (d_mlp each), z and x (d_inner each), B and C (n_groups n each), delta (h);
     * conv's channels x, B, C; out's columns d_mlp, then d_inner. unit has a_log (h), b (h) and d (h) or (d_inner).
     */
    tensor gated_norm;               /* (d_inner) */
} checkpoint_layer;

typedef struct checkpoint {
    checkpoint_config config;
    tensor encoder, encoder_bias;    /* (vocabulary, d_model) or (d_model, features), (d_model) */
    checkpoint_layer *layers;        /* (n_layers) */
    checkpoint_norm final_norm;
    tensor head, head_bias;          /* (head_size, d_model), (head_size) */
} checkpoint;

/*
 * Whether a model can be so: every value in the range of docs/format.md and none against another. The second is for each
 * layer of a model whose own configuration is checked. 0 or -1.
 */
int checkpoint_check_config(const checkpoint_config *c, message *m);
int checkpoint_check_layer(const checkpoint_layer_config *c, const checkpoint_config *model, message *m);

/* Gives the n_layers layers of a model room, all of this configuration and with no tensor in them yet. 0 or -1. */
int checkpoint_allocate(checkpoint *ck, const checkpoint_layer_config *layer, message *m);
void checkpoint_free(checkpoint *ck);

/*
 * The readers. The checkpoint points into the source's files; free it with checkpoint_free, after failures too. config is what
 * config.json holds; checkpoint_read_configured (checkpoint_kind.c) chooses the reader by it. 0 or -1.
 */
int checkpoint_read_b2s6(checkpoint *ck, const tensor_source *source, message *m);
int checkpoint_read_configured(checkpoint *ck, const tensor_source *source, json config, message *m);
int checkpoint_read_hf_mamba(checkpoint *ck, const tensor_source *source, json config, message *m);
int checkpoint_read_ss_mamba1(checkpoint *ck, const tensor_source *source, json config, message *m);
int checkpoint_read_hf_mamba2(checkpoint *ck, const tensor_source *source, json config, message *m);
int checkpoint_read_ss_mamba2(checkpoint *ck, const tensor_source *source, json config, message *m);

#endif
