/* The scratch memory of a run: activations of a chunk of rows. The same function measures and places it. */
#ifndef B2S6_WORKSPACE_H
#define B2S6_WORKSPACE_H

#include "model.h"

/*
 * Activations of n_rows rows. Each place has room for the widest layer; a layer lays its own rows out from the beginning, each
 * padded to whole groups of lanes. Pointers are NULL where no layer has a use. d = pad16(d_model), di = pad16(d_inner).
 */
struct workspace {
    size_t n_rows;
    float *input;       /* (rows, pad16(features)): features as the encoder reads them */
    float *x;           /* (rows, d): the residual stream */
    float *normed;      /* (rows, d) */
    float *expanded;    /* (rows, 2, di): what in_proj gives; mamba */
    float *u;           /* (rows, di): what the unit reads; mamba */
    float *rank;        /* (rows, pad16(dt_rank)): x_weight u */
    float *delta;       /* (rows, di) */
    float *y;           /* (rows, di) */
    float *projected;   /* (rows, h, bc width): B and C of a unit; then (rows, 2 or 1, d): what the out projection gives */
    int16_t *codes;     /* (rows, codes): the input of a product as integers (kernels.h) */
    float *code_scales; /* (rows, code_parts) */
    float *packed;      /* (whole tiles of rows, packed, rows of a tile): the same for floats; NULL if nothing is packed */
};

/* Places a workspace of n_rows rows at memory, which may be NULL to measure. Returns its bytes, SIZE_MAX if too many. */
B2S6_INTERNAL size_t b2s6_workspace_layout(struct workspace *w, const struct b2s6_model *m, size_t n_rows, void *memory);

/*
 * A bidirectional model's workspace: three whole sequences (n_steps rows) and the workspace of a chunk.
 * normed is what the units read, y the sum of both directions' outputs.
 */
struct sequence {
    float *x, *normed, *y; /* (n_steps, pad16(d_model)) */
    struct workspace work;
};
B2S6_INTERNAL size_t b2s6_sequence_layout(struct sequence *s, const struct b2s6_model *m, size_t n_steps, void *memory);

/* Rows of a chunk beyond which a larger one is not faster; and what the tiles of rows divide, but AMX's, which may overlap. */
enum { CHUNK_ROWS = 132, CHUNK_GRAIN = 12 };
B2S6_STATIC_ASSERT(chunk_of_whole_tiles, CHUNK_ROWS % CHUNK_GRAIN == 0);

/* Rows of the next chunk when n_left, at least one, are left: chunks of much the same size, so that the last is no small one. */
B2S6_INTERNAL size_t b2s6_chunk_rows(const struct workspace *w, size_t n_left);

#endif
