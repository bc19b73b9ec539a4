/*
 * matrix_types.h - the ways a weight matrix can be stored, one entry each, and which matrices of a model get which
 *
 * A type says how many bytes a matrix takes and packs rows of it: n from row first on of matrix i, whole panels but for the
 * last, as a matrix of their own. It asks the source for one value after another and does not care where they come from.
 */
#ifndef B2S6_CLI_MATRIX_TYPES_H
#define B2S6_CLI_MATRIX_TYPES_H

#include <stddef.h>
#include <stdint.h>

struct writer;

/*
 * count matrices of rows x cols; at gives element (r, k) of matrix i. origin says, for messages, which value of the checkpoint
 * that is made from: "tensor NAME: the value 3 at [0, 1, 2], divided by A". NULL: it is the tensor's own, row i * rows + r.
 */
typedef struct matrix_source {
    const char *name;  /* for messages */
    size_t count, rows, cols;
    double (*at)(const void *context, size_t i, size_t r, size_t k);
    const void *context;
    void (*origin)(const void *context, size_t i, size_t r, size_t k, char *text, size_t size);
} matrix_source;

typedef struct matrix_type {
    uint32_t type;     /* as the tensor table calls it */
    uint64_t (*size)(const matrix_source *source);
    void (*pack)(struct writer *w, unsigned char *place, const matrix_source *source, size_t i, size_t first, size_t n);
} matrix_type;

extern const matrix_type matrix_f32, matrix_f16, matrix_q8, matrix_q4;

/*
 * What --type means. Matrices whose errors reach the output directly, or through the state, may be stored more precisely
 * than the others; those that no row gives here (the step delta, the encoder of features) are always f32.
 */
typedef struct matrix_types {
    const char *name;
    const matrix_type *ends;         /* embedding and head */
    const matrix_type *b_and_c;
    const matrix_type *projections;  /* in_proj and out: most of a large model */
} matrix_types;

extern const matrix_types matrix_types_f32;

/* NULL if there are none of this name. */
const matrix_types *matrix_types_named(const char *name);

#endif
