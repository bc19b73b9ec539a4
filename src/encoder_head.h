/*
 * Both ends of a model: from the host's input to the residual stream, and from there to output rows. run.c
 * and bidirectional.c call them around the layers, for the rows of one pass or, at the end of a sequence,
 * for all rows of it.
 */
#ifndef B2S6_ENCODER_HEAD_H
#define B2S6_ENCODER_HEAD_H

#include "pass.h"

/*
 * Where input comes from and output goes to. One of tokens (rows) and features (rows, input_size) is given; what it holds has
 * been checked. out (n_streams rows, or all rows from first_row on, width of the output), or NULL.
 */
struct stream_ends {
    const int32_t *tokens;
    const float *features;
    float *out;
    size_t first_row;
    int hidden; /* rows before the head */
};

/* p->x = the encoder's rows. */
B2S6_INTERNAL void b2s6_encode_pass(const struct pass *p, const struct stream_ends *e);

/* Final norm and pooling of the rows in p->x, in place, then the output rows. */
B2S6_INTERNAL void b2s6_finish_pass(const struct pass *p, const struct stream_ends *e);

#endif
