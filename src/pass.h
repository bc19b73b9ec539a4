/*
 * A pass: some steps of one or several streams on their way through a model together, how its work is cut
 * into sections for the host's threads, and matrix products over its rows. Blocks, unit and ends work on
 * passes only.
 *
 * A section is a function over a range of items (panels of a matrix, groups of 16 channels, rows).
 * Everything that an item writes belongs to its own channels or rows, and each of its outputs is formed by
 * a chain of operations of its own. So no result depends on the cut, and parts need no locks. Between two
 * sections all parts have met.
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
    float *x;                         /* (rows, pad16(d_model)): the residual stream */
    struct workspace *work;           /* other activations of all rows */
    const b2s6_parallel *parallel;    /* NULL: the caller's thread does it all */
    const b2s6_observer *observer;    /* NULL: nobody looks */
};

/* At most the rows of the workspace, where a section uses the workspace. */
static inline size_t pass_rows(const struct pass *p)
{
    return p->n_streams * p->n_steps;
}

/* Groups begin .. end - 1 of rows that are stride floats apart. */
static inline struct span pass_span(const struct pass *p, size_t stride, size_t begin, size_t end)
{
    struct span s;

    s.n_rows = pass_rows(p);
    s.stride = stride;
    s.begin = begin * B2S6_LANES;
    s.end = end * B2S6_LANES;
    return s;
}

/*
 * Does items 0 .. n_items - 1 of a section; returns when all are done. cost estimates the whole section in
 * multiply-adds: one that is not worth waking threads for runs here, a larger one is cut into consecutive
 * ranges, none of them tiny.
 */
B2S6_INTERNAL void b2s6_pass_section(const struct pass *p, void (*section)(void *context, size_t begin, size_t end),
                                     void *context, size_t n_items, size_t cost);

/*
 * What sections cost, as far as 32 bits go on a machine that has no more: it is an estimate, and one that wraps wakes
 * fewer threads.
 *
 * A product of n_rows rows with all of m: a single row costs reading the weights, as much as two rows of arithmetic.
 */
static inline size_t product_cost(const struct matrix *m, size_t n_rows)
{
    return (size_t)m->count * m->rows * m->cols * (n_rows < 2 ? 2 : n_rows);
}

/*
 * cost of an elementary function (exp, softplus, a gate) of n values: a polynomial and its surroundings,
 * some 32 multiply-adds.
 */
static inline size_t elementary_cost(size_t n)
{
    return 32 * n;
}

/* cost of packing n values, or making them codes. */
static inline size_t packing_cost(size_t n)
{
    return 4 * n;
}

/*
 * Rows as a product with m reads them: n_rows rows at x, x_stride floats apart, of n_parts parts side by side, each as wide as
 * the matrix. What comes back uses the pass's workspace and holds until the next preparation of the same kind (packed or
 * codes).
 */
B2S6_INTERNAL struct prepared b2s6_prepare(const struct pass *p, const struct matrix *m, const float *x, size_t x_stride,
                                           size_t n_rows, uint32_t n_parts);

/*
 * y = W x + bias for all prepared rows, matrix number index of m, part number part of the rows. y has room
 * for whole panels, or for the rows of the matrix alone if they are its y_stride.
 */
struct projection {
    const struct matrix *matrix;
    const struct prepared *input;
    uint32_t index, part;
    const float *bias;      /* (pad16(rows)), or NULL */
    float *y;               /* (n_rows, y_stride) */
    size_t y_stride;
};

/* Panels begin .. end - 1 of it. */
B2S6_INTERNAL void b2s6_project(const struct pass *p, const struct projection *o, size_t begin, size_t end);

#endif
