/* file_bytes.h - a whole file in memory, mapped where that is possible */
#ifndef B2S6_CLI_FILE_BYTES_H
#define B2S6_CLI_FILE_BYTES_H

#include <stddef.h>

#include "message.h"

typedef struct file_bytes {
    const unsigned char *bytes;  /* aligned for any type; not NULL, even when there are none */
    size_t size;
    void *mapping, *memory;      /* whichever holds them */
} file_bytes;

/* 0, or -1 with nothing to release. */
int file_bytes_read(file_bytes *file, const char *path, message *m);
void file_bytes_release(file_bytes *file);

/* Gives back the memory of a mapped file's pages; they are read again when they are needed. Nothing of a file that is not. */
void file_bytes_let_go(const file_bytes *file);

#endif
