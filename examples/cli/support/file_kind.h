/*
 * file_kind.h - what a file is that is not what a verb needs, told by its first bytes, and what its owner can do
 */
#ifndef B2S6_CLI_FILE_KIND_H
#define B2S6_CLI_FILE_KIND_H

#include <stddef.h>

/* As many bytes from the beginning of a file as any kind is known by. */
#define FILE_KIND_BYTES 512

typedef struct file_kind {
    const char *what;    /* "a GGUF file"; NULL: not known */
    const char *advice;  /* how to get from there to a .b2s6 file */
    int is_checkpoint;   /* b2s6 convert reads it */
} file_kind;

/* bytes: the first of the file; size: how many of them there are. */
file_kind file_kind_of(const unsigned char *bytes, size_t size);

/* The same of a file by name; unknown if it cannot be read. */
file_kind file_kind_of_path(const char *path);

#endif
