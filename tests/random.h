/*
 * random.h - the tests' own random numbers: the same on every machine, compiler and optimisation level
 *
 * Floats are an integer times a power of two, so no rounding and no contraction can change them.
 */
#ifndef TEST_RANDOM_H
#define TEST_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct random_source {
    uint64_t state;
} random_source;

/* splitmix64 */
static inline uint64_t random_u64(random_source *random)
{
    uint64_t z = (random->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* 0 .. n - 1 */
static inline uint32_t random_below(random_source *random, uint32_t n)
{
    return (uint32_t)(random_u64(random) >> 33) % n;
}

/* -1 .. 1, 22 bits */
static inline int32_t random_signed(random_source *random)
{
    return (int32_t)(random_u64(random) >> 42) - (1 << 21);
}

static inline float random_uniform(random_source *random)
{
    return (float)random_signed(random) * (1.0f / (1 << 21));
}

/* Mean 0, variance 1, near enough to normal: three uniform ones. */
static inline float random_normal(random_source *random)
{
    int32_t sum = random_signed(random);
    sum += random_signed(random);
    sum += random_signed(random);
    return (float)sum * (1.0f / (1 << 21));
}

/* One of the values listed. */
#define RANDOM_OF(random, array) ((array)[random_below(random, (uint32_t)(sizeof(array) / sizeof((array)[0])))])

#endif
