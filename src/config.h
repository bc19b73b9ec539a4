/* The configuration of a model: what the entries of the file say, checked. */
#ifndef B2S6_CONFIG_H
#define B2S6_CONFIG_H

#include "format.h"

/* Plain values; the enumerations are those of b2s6.h. One member a configuration key, in the order of docs/format.md. */
struct config {
    uint32_t d_model, n_layers;
    uint32_t input_kind, input_size, head_size;
    uint32_t block, bidirectional;
    uint32_t norm, norm_place, norm_eps; /* eps: the bits of a float */
    uint32_t final_norm, final_norm_eps;
    uint32_t pool, head_tied, head_bias;
    uint32_t d_inner, d_conv, projection_biases;
    uint32_t h, d_state, complex_state, a_scope, b, c, c_complex;
    uint32_t delta, dt_rank, discretization, conjugate, skip;
};

enum { NORM_PRE = 1, NORM_POST = 2 };
enum { BIAS_IN_PROJ = 1, BIAS_OUT_PROJ = 2 };
enum { B_HAS_WEIGHT = 1, B_HAS_BIAS = 2 };
enum { C_SELECTIVE = 1, C_CONSTANT = 2 };
enum { ZERO_ORDER_HOLD = 1, EULER = 2 };

/* Fills *c from the file's entries; every key must be there, in range and in keeping with the others. */
B2S6_INTERNAL b2s6_status b2s6_config_read(struct config *c, const struct format *f, b2s6_error *error);

/* What the code decides by: constants where a build has one kind only (switches.h). */
static inline int config_is_mamba(const struct config *c)
{
    return B2S6_HAS_MAMBA && (!B2S6_HAS_S4 || c->block == B2S6_BLOCK_MAMBA);
}

static inline int config_is_complex(const struct config *c)
{
    return B2S6_HAS_COMPLEX && (!B2S6_HAS_REAL || c->complex_state);
}

static inline int config_is_bidirectional(const struct config *c)
{
    return B2S6_HAS_BIDIRECTIONAL && c->bidirectional;
}

/* The paper's own unit, out of the many that the keys allow. */
static inline int config_is_b2s6(const struct config *c)
{
    return c->complex_state && c->discretization == ZERO_ORDER_HOLD && c->a_scope == B2S6_SCOPE_LAYER &&
           c->b == (B_HAS_WEIGHT | B_HAS_BIAS) && c->c == C_SELECTIVE && !c->c_complex && c->delta == B2S6_DELTA_BLOCK;
}

/* Floats a channel's state and its B bias take: 2 complex, 1 real. */
static inline uint32_t config_planes(const struct config *c)
{
    return config_is_complex(c) ? 2 : 1;
}

/* Rows of role 38: B re, B im, C re, C im, as far as they exist. */
static inline uint32_t config_bc_rows(const struct config *c)
{
    uint32_t rows = 0;

    if (c->b & B_HAS_WEIGHT)
        rows += c->d_state * config_planes(c);
    if (c->c == C_SELECTIVE)
        rows += c->d_state * (c->c_complex ? 2u : 1u);
    return rows;
}

/* Width of an output row. */
static inline uint32_t config_output_size(const struct config *c)
{
    return c->head_size ? c->head_size : c->d_model;
}

/* 1 / A is folded into B where all channels share A; otherwise the unit multiplies by it. */
static inline int config_has_a_inverse(const struct config *c)
{
    return c->discretization == ZERO_ORDER_HOLD && c->a_scope != B2S6_SCOPE_LAYER;
}

#endif
