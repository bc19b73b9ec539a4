/*
 * byte_sink.h - where a file goes that is made piece by piece: memory, or a file
 */
#ifndef B2S6_CLI_BYTE_SINK_H
#define B2S6_CLI_BYTE_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "../support/message.h"

/*
 * begin is called once, with the size of the whole; then put for pieces that follow one another, and last for the file's
 * beginning, which knows the checksum of the rest. Each 0, or -1 with the line in m, after which nothing more is called.
 */
typedef struct byte_sink {
    int (*begin)(void *context, uint64_t size, message *m);
    int (*put)(void *context, uint64_t offset, const unsigned char *bytes, size_t n, message *m);
    void *context;
} byte_sink;

#endif
