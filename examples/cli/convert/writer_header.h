/* writer_header.h - what goes before the tensors of a .b2s6 file */
#ifndef B2S6_CLI_WRITER_HEADER_H
#define B2S6_CLI_WRITER_HEADER_H

#include <stdint.h>

#include "writer_b2s6.h"

/* Where the parts of a file are, in bytes from its start. The caller fills in the first three, writer_lay_out the others. */
typedef struct writer_layout {
    uint64_t tensors, entries;  /* bytes of the tensors and of the named entries, padding included */
    uint32_t n_tensors;
    uint32_t n_config, metadata_bytes;
    uint64_t metadata, table, entry_table, data, file;  /* data is where the header ends, file the size of all */
} writer_layout;

/*
 * The pairs that go into the file, sorted, in *n elements to be given to free; NULL without memory or if the format has no
 * room for them.
 */
metadata_pair *writer_choose_metadata(const writer_contents *contents, size_t *n, message *m);

/* Where everything goes; contents->pairs are those that writer_choose_metadata gave. 0 or -1. */
int writer_lay_out(writer_layout *layout, const checkpoint *ck, const writer_contents *contents, message *m);

/* Completes the header (layout->data bytes), in which the table of the tensors is already; the rest is zero. */
void writer_put_header(unsigned char *file, const writer_layout *layout, const checkpoint *ck,
                       const writer_contents *contents, uint32_t data_crc);

#endif
