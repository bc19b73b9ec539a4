/* buffer.h - bytes that grow */
#ifndef B2S6_CLI_BUFFER_H
#define B2S6_CLI_BUFFER_H

#include <stddef.h>

/* Begins as { NULL, 0, 0 }; free(bytes) ends it. */
typedef struct buffer {
    unsigned char *bytes;
    size_t size, room;
} buffer;

/* Makes room for more bytes behind the size. 0, or -1 for want of memory, with all as it was. */
int buffer_reserve(buffer *b, size_t more);

/* 0 or -1. bytes may be NULL if n is 0. */
int buffer_append(buffer *b, const void *bytes, size_t n);

/* Numbers of 16 and 32 bits, least significant byte first. */
int buffer_append16(buffer *b, unsigned value);
int buffer_append32(buffer *b, unsigned long value);

#endif
