/*
 * A pass: some steps of one or several streams on their way through a model together, and how its work is cut into
 * sections for the host's threads. Everything a section writes belongs to its own channels, so no result depends on
 * the cut.
 */
#ifndef B2S6_PASS_H
#define B2S6_PASS_H

#include "kernels.h"
#include "state.h"

/* Rows are stream-major: row s * n_steps + t is step t of stream s. */
struct pass {
    const struct b2s6_model *model;
    struct b2s6_state *const *states; /* (n_streams) */
    size_t n_streams, n_steps;
    struct work *work;                /* activations of all rows */
    const b2s6_parallel *parallel;    /* NULL: the caller's thread does it all */
};

static inline size_t pass_rows(const struct pass *p)
{
    return p->n_streams * p->n_steps;
}

/* Groups begin .. end - 1 of rows that lie stride floats apart. */
static inline struct span pass_span(const struct pass *p, size_t stride, size_t begin, size_t end)
{
    struct span s;

    s.n_rows = pass_rows(p);
    s.stride = stride;
    s.begin = begin * B2S6_LANES;
    s.end = end * B2S6_LANES;
    return s;
}

/* Does items 0 .. n_items - 1 of a section, cut into as many consecutive ranges as the host wants; returns when all are done. */
B2S6_INTERNAL void b2s6_pass_section(const struct pass *p, void (*section)(void *context, size_t begin, size_t end),
                                     void *context, size_t n_items);

/*
 * y = W x + bias for n_rows rows, panels begin .. end - 1 of matrix number index of m. y has room for whole panels, or for
 * the rows of the matrix alone if they are its y_stride.
 *
 * Products read what b2s6_pass_prepare made of x before the section, while that still stands in the pass's work: of rows in
 * n_parts parts, each as wide as the matrix, part number part. Only small matrices of floats need no preparation.
 */
struct operand {
    const struct matrix *matrix;
    uint32_t index, part, n_parts;
    const float *bias, *x;
    float *y;
    size_t x_stride, y_stride, n_rows;
};
B2S6_INTERNAL void b2s6_pass_product(const struct pass *p, const struct operand *o, size_t begin, size_t end);

/* Packs the n_rows rows of n_parts * cols values at x, or makes them codes, in the pass's work, if products with m want that. */
B2S6_INTERNAL void b2s6_pass_prepare(const struct pass *p, const struct matrix *m, const float *x, size_t x_stride,
                                     size_t n_rows, uint32_t n_parts);

/* What the section that scans a group of channels does with the unit's output before it is done with them. */
enum unit_after { AFTER_NOTHING, AFTER_GELU, AFTER_GATE };

/* One unit over all rows: delta, B and C, the recurrence, and what follows. */
struct unit_pass {
    const struct unit *unit;
    const float *u;        /* (rows, pad16(d_inner)): what it reads */
    float *y;              /* (rows, pad16(d_inner)): its output */
    uint32_t slot;         /* of the streams' states */
    int backwards;
    enum unit_after after;
    const float *gate;     /* (rows, pad16(d_inner)), gate_stride floats apart */
    size_t gate_stride;
};
B2S6_INTERNAL void b2s6_unit_pass(const struct pass *p, const struct unit_pass *u);

/* out = norm of layer l of n_rows rows at x, pad16(d_model) apart; out may be x. */
B2S6_INTERNAL void b2s6_norm_pass(const struct pass *p, uint32_t l, const float *x, float *out);

/* The s4 block behind its unit, for all rows: x += a sigmoid(g), (a, g) = out y + bias; y has been through the GELU. */
B2S6_INTERNAL void b2s6_s4_mix_pass(const struct pass *p, uint32_t l, const float *y, float *x);

/* Layer l over the rows of causal streams in work->x, in place. */
B2S6_INTERNAL void b2s6_layer_pass(const struct pass *p, uint32_t l);

/*
 * Where input comes from and output goes to. One of tokens (rows) and features (rows, width) is given; what it holds has been
 * checked. out: (n_streams rows, or all rows from first_row on, width of the output), or NULL.
 */
struct ends {
    const int32_t *tokens;
    const float *features;
    float *out;
    size_t first_row;
    int hidden; /* rows before the head */
};

/* x = the encoder's rows. */
B2S6_INTERNAL void b2s6_encode_pass(const struct pass *p, const struct ends *e, float *x);

/* Final norm and pooling of the rows in x, in place, then the output rows. */
B2S6_INTERNAL void b2s6_finish_pass(const struct pass *p, const struct ends *e, float *x);

#endif
