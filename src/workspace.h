/*
 * The scratch memory of a run: activations of a chunk of rows, in the host's memory or at the end of a state.
 *
 * One function measures and places it: b2s6_workspace_size, the end of a state and the runs themselves all ask the
 * same code, so that what was promised and what is used cannot differ. Nothing in it outlives a call, and nothing is
 * cleared: every place is written by the pass before it is read.
 *
 *     memory  | input | x | normed | expanded | u | rank | delta | y | projected | codes | code_scales | packed |
 *
 * each place n_rows rows of a fixed width, each beginning at a multiple of 64 bytes.
 */
#ifndef B2S6_WORKSPACE_H
#define B2S6_WORKSPACE_H

#include "model.h"

/*
 * Activations of n_rows rows. Each place has room for the widest layer (struct needs); a layer lays its own rows out
 * from the beginning, each padded to whole groups of lanes, so that rows of a narrower layer are closer together.
 * Pointers are NULL where no layer has a use, and in a workspace that was only measured. d = pad16(d_model), di =
 * pad16(d_inner).
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

/*
 * Places a workspace of n_rows rows at memory, aligned to B2S6_ALIGNMENT, or NULL to measure only. Returns its bytes,
 * SIZE_MAX if this machine cannot address so many; then no pointer may be used. Grows with n_rows.
 */
B2S6_INTERNAL size_t b2s6_workspace_layout(struct workspace *w, const struct b2s6_model *m, size_t n_rows, void *memory);

/*
 * A bidirectional model's workspace: three whole sequences (n_steps rows) and the workspace of a chunk. Backwards a
 * layer needs the last row first, so all rows of a layer must be there before the next layer begins. normed is what
 * the units read, y the sum of both directions' outputs.
 */
struct sequence {
    float *x, *normed, *y; /* (n_steps, pad16(d_model)) */
    struct workspace work;
};
B2S6_INTERNAL size_t b2s6_sequence_layout(struct sequence *s, const struct b2s6_model *m, size_t n_steps, void *memory);

/* Rows of a chunk beyond which a larger one is not faster; and what the tiles of rows divide, but AMX's, which may overlap. */
enum { CHUNK_ROWS = 132, CHUNK_GRAIN = 12 };
B2S6_STATIC_ASSERT(chunk_of_whole_tiles, CHUNK_ROWS % CHUNK_GRAIN == 0);

/*
 * Rows of the next chunk when n_left, at least one, are left: from 1 to n_left, at most the workspace's. Chunks are of
 * much the same size, so that the last is no small one: 140 rows in a workspace of 132 go as 72 and 68, not as 132 and
 * 8, which would read all weights for 8 rows.
 */
B2S6_INTERNAL size_t b2s6_chunk_rows(const struct workspace *w, size_t n_left);

#endif
