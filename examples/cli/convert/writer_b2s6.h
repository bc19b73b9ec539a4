/* writer_b2s6.h - a checkpoint as the bytes of a .b2s6 file (docs/format.md) */
#ifndef B2S6_CLI_WRITER_B2S6_H
#define B2S6_CLI_WRITER_B2S6_H

#include <stddef.h>

#include "checkpoint.h"
#include "matrix_types.h"

/* Metadata of the file, apart from the configuration. */
typedef struct writer_metadata {
    const safetensors_pair *pairs;  /* (n); a key "b2s6" is left out */
    size_t n;
    const char *source;             /* becomes the key "source", unless pairs have one */
} writer_metadata;

/* 0 with *bytes from malloc, or -1. */
int write_b2s6(const checkpoint *ck, const matrix_types *types, const writer_metadata *metadata, unsigned char **bytes,
               size_t *n_bytes, message *m);

#endif
