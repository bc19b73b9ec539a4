/* bytes.h - for the tests of the byte models' verbs: a small model, and compressing from memory to memory */
#ifndef TEST_BYTES_H
#define TEST_BYTES_H

#include <stdio.h>

#include "../examples/cli/text/score.h"
#include "subjects.h"
#include "test.h"

/* A small byte model of random weights, the same for the same seed, with decided opinions. */
void byte_config(model_config *config);
void open_byte_model(opened_model *opened, uint64_t seed);

/* The same file opened for one instruction set. */
b2s6_model *open_capped(const opened_model *opened, const char *isa);

typedef struct blob {
    unsigned char *bytes; /* from malloc */
    size_t size;
} blob;

/* A file that is read and goes away when it is closed, and what is in one. */
FILE *file_of(const unsigned char *bytes, size_t size);
blob contents_of(FILE *file);

/* n bytes of a kind that is not random: by the model itself, at temperature 1. */
blob drawn_from(const b2s6_model *model, size_t n, uint64_t seed);

/* The score of a file, which must succeed. */
score scored(const b2s6_model *model, FILE *file, uint64_t piece, size_t run, const b2s6_parallel *parallel);

/* These must succeed; parallel: threads to work on, or NULL. */
blob compressed(const b2s6_model *model, const unsigned char *bytes, size_t size, size_t run, const b2s6_parallel *parallel);
blob decompressed(const b2s6_model *model, const unsigned char *bytes, size_t size, const b2s6_parallel *parallel);

/* Through a pipe rather than a file if piped. The message, "" for success; *out is what was written. */
const char *try_decompress(const b2s6_model *model, const unsigned char *bytes, size_t size, int piped,
                           const b2s6_parallel *parallel, blob *out);

/* Compresses and decompresses; returns the compressed size. */
size_t check_round_trip(const b2s6_model *model, const unsigned char *bytes, size_t size);

#endif
