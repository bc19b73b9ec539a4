/* writer_b2s6.h - a checkpoint as a .b2s6 file (docs/format.md) */
#ifndef B2S6_CLI_WRITER_B2S6_H
#define B2S6_CLI_WRITER_B2S6_H

#include <stddef.h>

#include "byte_sink.h"
#include "checkpoint.h"
#include "matrix_types.h"
#include "named_entry.h"

/* What goes into a file besides the checkpoint, and how. */
typedef struct writer_contents {
    const matrix_types *types;      /* what the matrices are stored as */
    const metadata_pair *pairs;  /* (n_pairs), the metadata; a key "b2s6" is left out */
    size_t n_pairs;
    const char *source;             /* becomes the key "source", unless pairs have one */
    const tensor_source *tensors;   /* where the checkpoint is from, to be told what is read of it */
    size_t value_size;              /* bytes of a value there, about */
    const named_entry *entries;     /* (n_entries), sorted by named_entries_sort */
    size_t n_entries;
} writer_contents;

/* Everything into the sink. 0 or -1. */
int write_b2s6(const checkpoint *ck, const writer_contents *contents, const byte_sink *sink, message *m);

#endif
