/*
 * The .b2s6 file as bytes (docs/format.md): header, configuration entries, metadata, tensor table and named entries,
 * checked so that everything they name is inside the file. Knows nothing of models.
 */
#ifndef B2S6_FORMAT_H
#define B2S6_FORMAT_H

#include "weights.h"

/* A file whose header has been checked; all pointers go into the file's bytes. */
struct format {
    const unsigned char *file;      /* (file_bytes) */
    size_t file_bytes;
    uint32_t header_bytes;          /* the data begin here */
    uint32_t header_crc, data_crc;
    const unsigned char *config;    /* n_config entries of 8 bytes */
    uint32_t n_config;
    const unsigned char *metadata;  /* n_metadata pairs of zero-terminated strings */
    uint32_t n_metadata;
    const unsigned char *tensors;   /* n_tensors entries of 48 bytes */
    uint32_t n_tensors;
    const unsigned char *entries;   /* n_entries named entries of 48 bytes */
    uint32_t n_entries;
};

/* One entry of the tensor table. */
struct tensor {
    uint32_t role, flags, section, type, layout;
    uint32_t count, rows, cols;
    size_t offset, bytes; /* from the start of the file */
};

/*
 * Reads and checks header, checksum of the header, configuration entries' order, metadata, tensor table and named entries of
 * the size bytes at data. On success every tensor of the table is inside the data, at its alignment, with the bytes that its
 * shape needs, and every named entry too.
 */
B2S6_INTERNAL b2s6_status b2s6_format_read(struct format *f, const void *data, size_t size, b2s6_error *error);

/* Where a tensor's entry comes in the table, which ascends. */
static inline uint64_t tensor_place(uint32_t section, uint32_t role)
{
    return (uint64_t)section << 16 | role;
}

/* Entry i of the tensor table, i < n_tensors. */
B2S6_INTERNAL void b2s6_format_tensor(struct tensor *t, const unsigned char *tensors, uint32_t i);

/* How many bytes a tensor of this type, layout and shape takes, padding of panels included; 0 if there can be none. */
B2S6_INTERNAL uint64_t b2s6_tensor_bytes(uint32_t type, uint32_t layout, uint32_t count, uint32_t rows, uint32_t cols);

/* Checks the checksum of the data, reading the whole file. */
B2S6_INTERNAL b2s6_status b2s6_format_verify(const struct format *f, b2s6_error *error);

#endif
