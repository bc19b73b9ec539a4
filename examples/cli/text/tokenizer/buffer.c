/* buffer.c - see buffer.h */
#include "buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int buffer_reserve(buffer *b, size_t more)
{
    size_t room = b->room ? b->room : 256;
    unsigned char *bytes;
    if (b->room - b->size >= more)
        return 0;
    if (more > SIZE_MAX / 4 || b->size > SIZE_MAX / 4)
        return -1;
    while (room - b->size < more)
        room *= 2;
    bytes = realloc(b->bytes, room);
    if (!bytes)
        return -1;
    b->bytes = bytes;
    b->room = room;
    return 0;
}

int buffer_append(buffer *b, const void *bytes, size_t n)
{
    if (n == 0)
        return 0;
    if (buffer_reserve(b, n) != 0)
        return -1;
    memcpy(b->bytes + b->size, bytes, n);
    b->size += n;
    return 0;
}

int buffer_append16(buffer *b, unsigned value)
{
    const unsigned char bytes[2] = { (unsigned char)value, (unsigned char)(value >> 8) };
    return buffer_append(b, bytes, 2);
}

int buffer_append32(buffer *b, unsigned long value)
{
    const unsigned char bytes[4] = { (unsigned char)value, (unsigned char)(value >> 8), (unsigned char)(value >> 16),
                                     (unsigned char)(value >> 24) };
    return buffer_append(b, bytes, 4);
}
