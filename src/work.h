/* The scratch memory of a run: activations of a chunk of rows. The same function measures and places it. */
#ifndef B2S6_WORK_H
#define B2S6_WORK_H

#include "model.h"

/* Activations of n_rows rows; every row is padded to whole groups of lanes. Pointers are NULL where a model has no use. */
struct work {
    size_t n_rows;
    float *input;     /* (rows, pad16(features)): features as the encoder reads them */
    float *x;         /* (rows, pad16(d_model)): the residual stream */
    float *normed;    /* (rows, pad16(d_model)) */
    float *vz;        /* (rows, 2, pad16(d_inner)): what in_proj gives; mamba */
    float *u;         /* (rows, pad16(d_inner)): what the unit reads; mamba */
    float *rank;      /* (rows, pad16(dt_rank)): x_weight u */
    float *delta;     /* (rows, pad16(d_inner)) */
    float *bc;        /* (rows, h, bc_width) */
    float *y;         /* (rows, pad16(d_inner)) */
    float *mixed;     /* (rows, 2 or 1, pad16(d_model)): what the out projection gives; shares its place with bc */
    int16_t *codes;   /* (rows, code_width): the input of a product as integers (kernels.h) */
    float *code_scales; /* (rows, code_parts) */
    float *packed;    /* (whole tiles of rows, pack_width, rows of a tile): the same for floats; NULL if nothing is packed */
    uint32_t d, di;   /* pad16(d_model), pad16(d_inner) */
    uint32_t bc_width;
};

/* Places the work of n_rows rows at memory, which may be NULL to measure. Returns its bytes, SIZE_MAX if too many. */
B2S6_INTERNAL size_t b2s6_work_layout(struct work *w, const struct b2s6_model *m, size_t n_rows, void *memory);

/*
 * A bidirectional model's workspace: three whole sequences (n_steps rows) and the work of a chunk.
 * normed is what the units read, y the sum of both directions' outputs.
 */
struct sequence {
    float *x, *normed, *y; /* (n_steps, pad16(d_model)) */
    struct work work;
};
B2S6_INTERNAL size_t b2s6_sequence_layout(struct sequence *s, const struct b2s6_model *m, size_t n_steps, void *memory);

/* Rows of a chunk beyond which a larger one is not faster; and what the tiles of rows divide, but AMX's, which may overlap. */
enum { CHUNK_ROWS = 132, CHUNK_GRAIN = 12 };

/* Rows of the next chunk when n_left, at least one, are left: chunks of much the same size, so that the last is no small one. */
B2S6_INTERNAL size_t b2s6_work_chunk(const struct work *w, size_t n_left);

#endif
