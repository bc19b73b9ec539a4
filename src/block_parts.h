/* What several kinds of block end with: a gate, and a projection onto the residual stream. */
#ifndef B2S6_BLOCK_PARTS_H
#define B2S6_BLOCK_PARTS_H

#include "pass.h"

/* (v, g) = in input + bias, then v = v silu(g), for two matrices of the same width. */
struct gated {
    const struct matrix *in;  /* two of width x d_model: v, g */
    const float *bias;        /* (2, pad16(width)), or NULL */
    const float *input;       /* (rows, pad16(d_model)) */
    float *v;                 /* (rows, 2, pad16(width)), stride floats apart */
    size_t stride;
};
B2S6_INTERNAL void b2s6_block_gated(const struct pass *p, const struct gated *g);

/* p->x += out y + bias; rows of y are stride floats apart. Uses work->projected. */
B2S6_INTERNAL void b2s6_block_contract(const struct pass *p, const struct matrix *out, const float *bias, const float *y,
                                       size_t stride);

#endif
