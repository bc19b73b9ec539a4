/*
 * What a layer does between its norm and the residual stream: a block, one file and one entry of the table for each
 * kind. Adding a kind is adding a file (docs/code.md).
 */
#ifndef B2S6_BLOCK_H
#define B2S6_BLOCK_H

#include "unit.h"

/*
 * One entry of the table (block.c): what the library asks of a kind. check, bind and place are called while a file is
 * opened, in this order, for each layer; pass and mix for every chunk of rows, where nothing can fail. All of them get
 * what they work on, and none keeps anything: the table is constant.
 */
struct block {
    uint32_t kind;                /* b2s6_block */
    const struct key *keys;       /* of its configuration, between those of every layer and those of a unit */
    size_t n_keys;
    int has_unit_keys;            /* a unit's keys follow */

    /* Fills in what the kind implies (d_inner ...). What no range of a key can say: NULL if all is well. */
    const char *(*check)(struct layer_config *c, const struct model_config *m);

    /* Takes the block's tensors, in the order of their roles; the norm's have been taken. */
    void (*bind)(struct binder *b, struct layer *layer, uint32_t d_model);

    /* Raises what a row of a workspace needs, and says what the block keeps of a stream: layer->part. */
    void (*place)(struct needs *needs, struct layer *layer, uint32_t d_model);

    /* p->x += f(input), for the rows of a pass of causal streams. input (rows, pad16(d_model)) is p->x or its norm. */
    void (*pass)(const struct pass *p, const struct layer *layer, const float *input);

    /* For a kind that can be bidirectional, else NULL: what follows the sum of both units' outputs y, which it may change. */
    void (*mix)(const struct pass *p, const struct layer *layer, float *y);
};

/* The block of this kind; NULL if the build leaves it out. kind is one that the format knows. */
B2S6_INTERNAL const struct block *b2s6_block_of(uint32_t kind);

/* The configuration of the layer whose section comes next, checked, in *layer, which holds the layer before it. */
B2S6_INTERNAL void b2s6_layer_config(struct config_reader *r, struct layer *layer, const struct model_config *m);

/* Takes all tensors of a layer. *layer is zero but for its block and configuration. Failures are the binder's. */
B2S6_INTERNAL void b2s6_layer_bind(struct binder *b, struct layer *layer, const struct model_config *m);

/* Raises what a row of a workspace needs, and notes the layer's parts of a stream. */
B2S6_INTERNAL void b2s6_layer_place(struct needs *needs, struct layer *layer, const struct model_config *m);

#if B2S6_HAS_S4
extern B2S6_INTERNAL const struct block b2s6_block_s4;
#endif
#if B2S6_HAS_MAMBA
extern B2S6_INTERNAL const struct block b2s6_block_mamba;
#endif
#if B2S6_HAS_MAMBA2
extern B2S6_INTERNAL const struct block b2s6_block_mamba2;
#endif
#if B2S6_HAS_MLP
extern B2S6_INTERNAL const struct block b2s6_block_mlp;
#endif

#endif
