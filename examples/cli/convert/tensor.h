/*
 * tensor.h - a view of numbers in a checkpoint: where they are, of which type, in which order
 *
 * Nothing is copied: rows of a matrix, or a matrix the other way round, are the same bytes with other dimensions and strides.
 * Every type that is read converts to double without rounding.
 */
#ifndef B2S6_CLI_TENSOR_H
#define B2S6_CLI_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#define TENSOR_DIMS 4

typedef enum tensor_type { TENSOR_F16, TENSOR_BF16, TENSOR_F32, TENSOR_F64 } tensor_type;

typedef struct tensor {
    const char *name;           /* as the checkpoint calls it, for messages; lives as long as the checkpoint */
    const unsigned char *data;  /* element 0; NULL: the model has no such tensor */
    tensor_type type;
    size_t n_dims;
    size_t dims[TENSOR_DIMS];   /* 1 beyond n_dims */
    size_t strides[TENSOR_DIMS];/* in elements, row-major at first; 0 beyond n_dims */
} tensor;

/* Bytes of one value. */
size_t tensor_value_size(tensor_type type);

/* Element (i, j, k, l); an index beyond n_dims is 0. */
double tensor_at(const tensor *t, size_t i, size_t j, size_t k, size_t l);

/* Indices first .. first + count - 1 of the outermost dimension. */
tensor tensor_rows(tensor t, size_t first, size_t count);

/* A matrix the other way round. */
tensor tensor_transpose(tensor t);

/* The same with one dimension of 1 more, outermost. At most TENSOR_DIMS. */
tensor tensor_wrap(tensor t);

/* The same without dimension i, which must be 1. */
tensor tensor_drop(tensor t, size_t i);

/*
 * The place of the first value that is infinite or not a number, "[3, 0, 5]", in count indices of the outermost dimension from
 * first on; 0 if there is none.
 */
int tensor_find_not_finite(const tensor *t, size_t first, size_t count, char *place, size_t size);

#endif
