/*
 * zip_file.h - makes zip archives like PyTorch's for the tests, right ones and wrong ones
 */
#ifndef TEST_ZIP_FILE_H
#define TEST_ZIP_FILE_H

#include <stddef.h>
#include <stdint.h>

typedef struct zip_part {
    const char *name;
    const void *bytes;
    size_t size;
} zip_part;

/* An archive of stored entries in memory of exactly its size. offsets (n_parts), or NULL: where each part's header is. */
unsigned char *zip_make(const zip_part *parts, size_t n_parts, size_t *size, size_t *offsets);

/* Where the central directory's entry number i begins, in such an archive. */
size_t zip_directory_entry(const unsigned char *bytes, size_t size, size_t i);

/* Little-endian numbers of n bytes. */
void zip_set(unsigned char *at, uint64_t value, size_t n);
uint64_t zip_get(const unsigned char *at, size_t n);

#endif
