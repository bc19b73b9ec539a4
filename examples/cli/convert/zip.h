/*
 * zip.h - finds the files inside a zip archive in memory, of the kind that PyTorch writes: stored, neither compressed nor
 * encrypted
 *
 * Names, sizes and places come from the central directory, zip64 fields included, and nothing of it is believed unchecked: every
 * file's bytes are inside the archive, before the directory, and no two overlap; no name comes twice. The checksums of zip are
 * not asked: PyTorch can be told to leave them out.
 */
#ifndef B2S6_CLI_ZIP_H
#define B2S6_CLI_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "../support/message.h"

#define ZIP_ENTRIES_MAX 1000000

typedef struct zip_entry {
    const char *name;           /* (name_size), in the archive: no zero after it */
    size_t name_size;
    const unsigned char *data;  /* (size) */
    size_t size;
    size_t begin, end;          /* of all that belongs to it, its own header included, in the archive */
} zip_entry;

typedef struct zip {
    zip_entry *entries;         /* (n_entries), ascending by name */
    size_t n_entries;
} zip;

/* 0, or -1 with nothing to close. bytes must live as long as the result. */
int zip_open(zip *z, const unsigned char *bytes, size_t size, message *m);
void zip_close(zip *z);

/* NULL if there is none. */
const zip_entry *zip_find(const zip *z, const char *name, size_t name_size);

#endif
