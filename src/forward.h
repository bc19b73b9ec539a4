/* The way of a chunk of rows through a model: encoder, layers, norm, pooling, head. */
#ifndef B2S6_FORWARD_H
#define B2S6_FORWARD_H

#include "state.h"

/* y (n_rows, y_stride) = matrix number index of m times x, plus bias unless NULL; y has room for whole panels. */
B2S6_INTERNAL void b2s6_multiply(const struct b2s6_model *model, const struct matrix *m, uint32_t index, const float *bias,
                                 const float *x, size_t x_stride, float *y, size_t y_stride, size_t n_rows);

/*
 * One unit over n_rows consecutive steps of one stream: delta, B and C of all rows, then the recurrence, which takes the
 * rows backwards if direction is 1. u and y are (n_rows, pad16(d_inner)); x is the unit's state.
 */
B2S6_INTERNAL void b2s6_unit_run(const struct b2s6_model *model, const struct unit *unit, struct work *w, const float *u,
                                 float *y, float *x, size_t n_rows, int direction);

/* out = norm of layer l for n_rows rows (pad16(d_model) apart). */
B2S6_INTERNAL void b2s6_layer_norm(const struct b2s6_model *model, uint32_t l, const float *x, float *out, size_t n_rows);

/* Layer l over the n_rows rows of one causal stream in w->x, in place. */
B2S6_INTERNAL void b2s6_layer_run(struct b2s6_state *state, uint32_t l, struct work *w, size_t n_rows);

/* The s4 block behind its unit: x += a sigmoid(g), (a, g) = out gelu(y) + bias; y is used up. */
B2S6_INTERNAL void b2s6_s4_mix(const struct b2s6_model *model, uint32_t l, struct work *w, float *y, float *x,
                               size_t n_rows);

/* x = the encoder's rows; exactly one of tokens and features (n_rows, features) is given. */
B2S6_INTERNAL void b2s6_encode(const struct b2s6_model *model, struct work *w, const int32_t *tokens, const float *features,
                               float *x, size_t n_rows);

/*
 * What follows the layers: final norm and pooling of n_rows rows in x, in place, and then the output rows first_row ..
 * n_rows - 1 to out (rows of the output's width), or none if out is NULL. hidden: rows before the head.
 */
B2S6_INTERNAL void b2s6_finish(struct b2s6_state *state, float *x, size_t n_rows, float *out, size_t first_row, int hidden);

#endif
