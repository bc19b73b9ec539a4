/* hash.h - digests of bytes and of floats that are the same on every machine: FNV-1a, 64 bits */
#ifndef TEST_HASH_H
#define TEST_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const uint64_t hash_begin = UINT64_C(0xcbf29ce484222325);

static inline uint64_t hash_bytes(uint64_t hash, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Least significant byte first, whatever the machine's order. */
static inline uint64_t hash_floats(uint64_t hash, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char bytes[4];
        uint32_t bits;
        memcpy(&bits, values + i, 4);
        for (int k = 0; k < 4; k++)
            bytes[k] = (unsigned char)(bits >> (8 * k));
        hash = hash_bytes(hash, bytes, 4);
    }
    return hash;
}

#endif
