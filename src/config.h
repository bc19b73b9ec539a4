/*
 * The configuration of a model and of its layers: plain values that the file's entries say, and how they are read.
 *
 * Whoever reads a configuration after opening may rely on every rule of the format: ranges, and what blocks and unit
 * check. The functions at the end are how the rest of the library asks. In a build that leaves kinds out they are
 * constants, so that the compiler drops what the other kinds would need; reading the member would keep it.
 */
#ifndef B2S6_CONFIG_H
#define B2S6_CONFIG_H

#include "format.h"

/* What holds for the whole model. Enumerations are those of b2s6.h; one member a key of section 0. */
struct model_config {
    uint32_t d_model, n_layers;
    uint32_t input_size, head_size;
    uint32_t final_norm_eps; /* the bits of a float */
    uint8_t input_kind, head_bias, head_tied, final_norm, pool;
};

/*
 * What holds for one layer. A member whose key the layer's block does not have is 0, or what the block implies. It is in
 * every handle once a layer, so numbers that fit a byte are bytes.
 */
struct layer_config {
    uint32_t norm_eps;
    uint32_t d_inner, h, d_state, dt_rank; /* h divides d_inner; dt_rank is 0 unless delta is of low rank */
#if B2S6_HAS_MAMBA2
    uint32_t d_mlp, n_groups, norm_groups;
    uint32_t gate_eps, delta_least, delta_most; /* the bits of floats */
    uint8_t gated_norm, d_scope;
#endif
    uint8_t block, norm, norm_place, bidirectional;
    uint8_t d_conv, projection_biases;
    uint8_t complex_state, a_scope, b, c, c_complex;
    uint8_t delta, discretization, conjugate, skip, states;
};

/*
 * One line a key: where its value goes and the range it must be in. Keys of a table ascend, as entries do in the file.
 * A member whose most fits a byte is a byte, every other one four: b2s6_config_take goes by max to know how many it
 * writes, and B2S6_KEY_MOST refuses to compile where the member has another size.
 */
struct key {
    uint8_t key, min;
    uint16_t member;        /* offset in the structure that is filled */
    uint32_t max;
#if B2S6_HAS_MESSAGES
    const char *name;
#endif
};

#define B2S6_KEY_MOST(type, member, max) \
    (uint32_t)((max) + 0 * sizeof(char[sizeof(((struct type *)0)->member) == ((max) <= UINT8_MAX ? 1 : 4) ? 1 : -1]))
#if B2S6_HAS_MESSAGES
#  define B2S6_KEY(number, type, member, min, max, name) { number, min, (uint16_t)offsetof(struct type, member), \
                                                          B2S6_KEY_MOST(type, member, max), name }
#  define B2S6_KEY_NAME(key) ((key)->name)
#else
#  define B2S6_KEY(number, type, member, min, max, name) { number, min, (uint16_t)offsetof(struct type, member), \
                                                          B2S6_KEY_MOST(type, member, max) }
#  define B2S6_KEY_NAME(key) ""
#endif

/*
 * Walks the file's entries once, in their order. After the first failure it does nothing, so callers ask for keys one
 * after another and look at status at the end, but before they use a value.
 */
struct config_reader {
    const struct format *format;
    uint32_t next;          /* entry */
    uint32_t section;       /* whose entries are being read */
    b2s6_status status;
    b2s6_error *error;
};

/* Whether the reader's section has this key, and it comes next. */
B2S6_INTERNAL int b2s6_config_has(struct config_reader *r, uint32_t number);

/*
 * The n_keys keys of this table must come next, each in its range; their values go into *into. Unknown optional ones are
 * skipped.
 */
B2S6_INTERNAL void b2s6_config_take(struct config_reader *r, const struct key *keys, size_t n_keys, void *into);

/* The section is read: nothing but unknown optional entries may be left of it. */
B2S6_INTERNAL void b2s6_config_end(struct config_reader *r);

/* A failure of the section that is being read. */
B2S6_INTERNAL void b2s6_config_fail(struct config_reader *r, b2s6_status status, const char *text);

/* Section 0, checked, in *c; the reader is then at layer 1. */
B2S6_INTERNAL void b2s6_config_model(struct config_reader *r, struct model_config *c);

/* A part of the norm of this kind that the build leaves out; NULL if it has all. */
B2S6_INTERNAL const char *b2s6_norm_left_out(uint32_t norm);

/* Whether eps is given to a norm that has none: equal models must be equal files, so nothing idle may differ. */
static inline int config_eps_is_idle(uint32_t norm, uint32_t eps)
{
    return eps && (norm == B2S6_NORM_NONE || norm == B2S6_NORM_BATCH);
}

/* Whether the layer's block has a unit: h is at least 1 then. Of all blocks the MLP alone has none. */
static inline int config_has_unit(const struct layer_config *c)
{
    return !B2S6_HAS_MLP || c->h != 0;
}

/* What the code decides by: constants where a build has one kind only (switches.h). */
static inline int config_is_complex(const struct layer_config *c)
{
    return B2S6_HAS_COMPLEX && (!B2S6_HAS_REAL || c->complex_state);
}

/* Of a layer that has been checked: without other units they are B2S6's, and what is asked of them folds. */
static inline uint32_t config_delta(const struct layer_config *c)
{
    return B2S6_HAS_OTHER_UNITS ? c->delta : B2S6_DELTA_BLOCK;
}

static inline int config_shares_a(const struct layer_config *c)
{
    return !B2S6_HAS_OTHER_UNITS || c->a_scope == B2S6_SCOPE_LAYER;
}

static inline int config_a_is_scalar(const struct layer_config *c)
{
    return B2S6_HAS_MAMBA2 && c->a_scope == B2S6_SCOPE_HEAD;
}

static inline uint32_t config_b(const struct layer_config *c)
{
    return B2S6_HAS_OTHER_UNITS ? c->b : B_HAS_WEIGHT | B_HAS_BIAS;
}

static inline uint32_t config_c(const struct layer_config *c)
{
    return B2S6_HAS_OTHER_UNITS ? c->c : C_SELECTIVE;
}

static inline int config_c_is_complex(const struct layer_config *c)
{
    return B2S6_HAS_OTHER_UNITS && c->c_complex;
}

static inline int config_is_compensated(const struct layer_config *c)
{
    return B2S6_HAS_COMPENSATED && c->states == STATES_COMPENSATED;
}

/* Planes of A: decay; or decay, turn, turn_lo. */
static inline uint32_t config_a_planes(const struct layer_config *c)
{
    return config_is_complex(c) ? A_PLANES_COMPLEX : A_PLANES_REAL;
}

/* Floats a channel's B bias or 1/A takes at a state: 2 complex, 1 real. */
static inline uint32_t config_planes(const struct layer_config *c)
{
    return config_is_complex(c) ? 2 : 1;
}

/* Floats a channel's state takes: as above, twice if it is compensated, for what rounding took from each. */
static inline uint32_t config_state_planes(const struct layer_config *c)
{
    return config_planes(c) * (config_is_compensated(c) ? 2u : 1u);
}

/*
 * Rows of the projection of B and C: B re, B im, C re, C im, as far as they exist; at most 4 times 4096. 0: the unit takes
 * neither of its input.
 */
static inline uint32_t config_bc_rows(const struct layer_config *c)
{
    uint32_t rows = 0;

    if (config_b(c) & B_HAS_WEIGHT)
        rows += c->d_state * config_planes(c);
    if (config_c(c) == C_SELECTIVE)
        rows += c->d_state * (config_c_is_complex(c) ? 2u : 1u);
    return rows;
}

/* 1 / A is folded into B where all channels share A; otherwise the unit multiplies by it. */
static inline int config_has_a_inverse(const struct layer_config *c)
{
    return c->discretization == ZERO_ORDER_HOLD && !config_shares_a(c);
}

/* Width of an output row. */
static inline uint32_t config_output_size(const struct model_config *c)
{
    return c->head_size ? c->head_size : c->d_model;
}

#endif
