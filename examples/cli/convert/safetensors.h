/*
 * safetensors.h - reads a safetensors file in memory: tensors by name, and the metadata strings
 *
 * The file: the size of the header (u64, little-endian), the header (a JSON object), the data. Everything the header says
 * is checked against the file before anything is believed: each tensor's bytes are what its type and shape need, and
 * the tensors follow one another and fill the data without gap or overlap.
 */
#ifndef B2S6_CLI_SAFETENSORS_H
#define B2S6_CLI_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "../support/message.h"
#include "tensor_source.h"

#define SAFETENSORS_DIMS 8
#define SAFETENSORS_HEADER_MAX 100000000  /* bytes; the limit of the reference implementation */

typedef struct safetensors_entry {
    const char *name;
    const char *type;             /* "F32": one of the format's names */
    size_t value_size;            /* bytes */
    size_t n_dims;
    uint64_t dims[SAFETENSORS_DIMS];
    uint64_t begin, end;          /* in the data */
} safetensors_entry;

typedef struct safetensors {
    const unsigned char *data;
    safetensors_entry *entries;   /* (n_entries), ascending by name */
    size_t n_entries;
    metadata_pair *metadata;   /* (n_metadata), ascending by key */
    size_t n_metadata;
    char *strings;                /* what all names and metadata point into */
} safetensors;

/* 0, or -1 with nothing to close. bytes must live as long as the result. */
int safetensors_open(safetensors *file, const unsigned char *bytes, size_t size, message *m);
void safetensors_close(safetensors *file);

/* Adds every tensor to a source, as of the file called name, and gives it the metadata. 0 or -1. */
int safetensors_add(const safetensors *file, const char *name, tensor_source *s, message *m);

#endif
