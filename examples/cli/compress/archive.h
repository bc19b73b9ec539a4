/*
 * archive.h - the file that `b2s6 compress` writes: what is around the coded bytes (docs/compress.md)
 *
 * Written and read from front to back, so that both ends can be pipes: what is known only at the end, the length and the
 * checksums, comes at the end.
 */
#ifndef B2S6_CLI_ARCHIVE_H
#define B2S6_CLI_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../support/message.h"

#define ARCHIVE_VERSION 1
#define ARCHIVE_BUFFER 32768

typedef struct archive_writer {
    FILE *file;     /* its error flag tells of bytes that could not be written */
    uint32_t crc;   /* of all before the buffer */
    uint64_t total; /* bytes so far */
    size_t n;
    unsigned char buffer[ARCHIVE_BUFFER];
} archive_writer;

void archive_begin(archive_writer *w, FILE *file, uint64_t fingerprint);
void archive_put(void *writer, unsigned char byte);
void archive_end(archive_writer *w, uint64_t length, uint32_t content_crc);

typedef struct archive_reader {
    FILE *file;
    uint32_t crc;         /* of all before the buffer */
    uint64_t taken;       /* bytes before the buffer; at the end all of the file */
    size_t at, end;       /* what is left of the buffer */
    int whole;            /* the buffer reaches to the end of the file, and what follows is known: */
    size_t coded_end;     /* where in the buffer the coded bytes end */
    uint64_t length;      /* of the content */
    uint32_t content_crc; /* of the content */
    uint32_t file_crc;    /* what crc has to be at the end */
    unsigned n_beyond;    /* zeros read after the coded bytes */
    int failed;           /* a read failed, or the end makes no sense */
    unsigned char buffer[ARCHIVE_BUFFER];
} archive_reader;

/*
 * Takes and checks the header. A file that can be read twice (no pipe) is looked through for damage too. 0 or -1.
 */
int archive_open(archive_reader *r, FILE *file, uint64_t fingerprint, message *m);

/* The next coded byte; zeros beyond the last. */
unsigned char archive_get(void *reader);

/*
 * Whether the content ends after n bytes: 1 yes, 0 no, -1 the file is damaged or could not be read. At 1 everything but the
 * content's checksum has been checked.
 */
int archive_at_end(archive_reader *r, uint64_t n, message *m);

#endif
