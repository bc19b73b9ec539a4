/*
 * npy.h - NumPy's .npy files, as far as models need them: tokens (L) and features (L, width) in, rows out
 *
 * Reads versions 1 and 2, little-endian, C order: int32 and int64 with one dimension, float32 and float64 with two. Reading and
 * writing go piece by piece, so that a long sequence takes no more memory than a piece of it.
 */
#ifndef B2S6_CLI_NPY_H
#define B2S6_CLI_NPY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "message.h"

typedef enum npy_type { NPY_INT32, NPY_INT64, NPY_FLOAT32, NPY_FLOAT64 } npy_type;

typedef struct npy_reader {
    FILE *stream;
    npy_type type;
    size_t n_dims;   /* 1 for integers, 2 for floats */
    uint64_t rows;   /* L */
    uint64_t width;  /* 1 for integers */
} npy_reader;

/* 0, or -1 with nothing to close. */
int npy_open(npy_reader *npy, const char *path, message *m);
void npy_close(npy_reader *npy);

/* The next n values. A double beyond float becomes infinite. 0 or -1. */
int npy_read_integers(npy_reader *npy, int64_t *out, size_t n, message *m);
int npy_read_floats(npy_reader *npy, float *out, size_t n, message *m);

/* Errors stay with the stream. */
void npy_write_header(FILE *stream, uint64_t rows, uint64_t width);
void npy_write_floats(FILE *stream, const float *values, size_t n);

#endif
