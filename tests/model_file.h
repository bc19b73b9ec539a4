/*
 * model_file.h - .b2s6 files taken apart, altered and put together again, after docs/format.md alone
 *
 * file_build lays the parts out as the format says, with right sizes, offsets and checksums, so that a test can alter one
 * thing at a time and reach the check that is meant for it. Writing over single bytes of a finished file is for put_le and
 * file_seal.
 */
#ifndef TEST_MODEL_FILE_H
#define TEST_MODEL_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Offsets in the header. */
enum {
    AT_MAGIC = 0, AT_VERSION = 8, AT_HEADER_BYTES = 12, AT_FILE_BYTES = 16, AT_HEADER_CRC = 24, AT_DATA_CRC = 28,
    AT_N_CONFIG = 32, AT_N_METADATA = 36, AT_METADATA_BYTES = 40, AT_N_TENSORS = 44, AT_N_ENTRIES = 48, AT_FILE_ARITHMETIC = 52,
    AT_RESERVED = 56, AT_CONFIG = 64
};

/* A configuration key: section 0 is the model, section l layer l, counted from 1. */
#define KEY(section, number) ((uint32_t)(section) << 16 | (uint32_t)(number))
#define KEY_OPTIONAL 0x80000000u

/* Roles that tests name. */
enum { ROLE_EMBEDDING = 1, ROLE_DELTA_BIAS = 35, ROLE_A = 36, ROLE_BC = 38 };

enum { TYPE_F32 = 1, LAYOUT_PLAIN = 1, LAYOUT_PANELS = 2, TENSOR_OPTIONAL = 1 };

typedef struct file_tensor {
    uint32_t role, flags, section, type, layout, count, rows, cols, reserved;
    uint64_t bytes;      /* as the table says */
    unsigned char *data; /* bytes bytes */
} file_tensor;

typedef struct file_named {
    unsigned char name[24];
    uint64_t reserved, bytes; /* as the table says */
    unsigned char *data;      /* bytes bytes */
} file_named;

typedef struct file_parts {
    uint32_t n_config, (*config)[2]; /* keys and values */
    uint32_t n_metadata;
    size_t metadata_bytes;
    unsigned char *metadata;
    uint32_t n_tensors;
    file_tensor *tensors;
    uint32_t n_entries;
    file_named *entries;
} file_parts;

/* Of a valid file. */
void file_take_apart(file_parts *parts, const unsigned char *file);
unsigned char *file_build(const file_parts *parts, size_t *size);
void file_free(file_parts *parts);

/* Insertion before index i (i = count: at the end), and removal. */
void file_insert_config(file_parts *parts, uint32_t i, uint32_t key, uint32_t value);
void file_remove_config(file_parts *parts, uint32_t i);
uint32_t file_find_config(const file_parts *parts, uint32_t key);                   /* index */
void file_insert_tensor(file_parts *parts, uint32_t i, const file_tensor *tensor, const unsigned char *data); /* copied */
void file_remove_tensor(file_parts *parts, uint32_t i);
uint32_t file_find_tensor(const file_parts *parts, uint32_t section, uint32_t role); /* index; n_tensors: none */
void file_insert_named(file_parts *parts, uint32_t i, const char *name, const void *data, size_t bytes); /* copied */
void file_remove_named(file_parts *parts, uint32_t i);
void file_set_metadata(file_parts *parts, uint32_t n, const char *strings, size_t bytes); /* bytes: padded to 8 with zeros */

/* Writes both checksums of a finished file anew, or the header's alone. header_bytes must lie within the file. */
void file_seal(unsigned char *file, size_t size);
void file_seal_header(unsigned char *file, size_t size);

/* Where entry i of the tensor table is, and entry i of the table of named entries. */
size_t file_entry(const unsigned char *file, uint32_t i);
size_t file_named_entry(const unsigned char *file, uint32_t i);

uint64_t get_le(const unsigned char *from, size_t n);
void put_le(unsigned char *to, uint64_t value, size_t n);

#endif
