/* writer_b2s6.h - a checkpoint as the bytes of a .b2s6 file (docs/format.md) */
#ifndef B2S6_CLI_WRITER_B2S6_H
#define B2S6_CLI_WRITER_B2S6_H

#include <stddef.h>

#include "checkpoint.h"
#include "matrix_types.h"
#include "named_entry.h"

/* What goes into a file besides the checkpoint, and how. */
typedef struct writer_contents {
    const matrix_types *types;      /* what the matrices are stored as */
    const safetensors_pair *pairs;  /* (n_pairs), the metadata; a key "b2s6" is left out */
    size_t n_pairs;
    const char *source;             /* becomes the key "source", unless pairs have one */
    const named_entry *entries;     /* (n_entries), sorted by named_entries_sort */
    size_t n_entries;
} writer_contents;

/* 0 with *bytes from malloc, or -1. */
int write_b2s6(const checkpoint *ck, const writer_contents *contents, unsigned char **bytes, size_t *n_bytes, message *m);

#endif
