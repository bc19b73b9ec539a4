/* limits_ways.h - loops that do nothing but read, or nothing but multiply and add, in every way that an instruction set has */
#ifndef B2S6_CLI_LIMITS_WAYS_H
#define B2S6_CLI_LIMITS_WAYS_H

#include <stddef.h>

enum { READ_BLOCK = 128 }; /* floats that are read of a stream in one go */

/* How the cache is told ahead of time: not at all, to keep what comes, or that it is used once. */
typedef enum fetching { FETCH_NOTHING, FETCH_TO_KEEP, FETCH_ONCE, N_FETCHINGS } fetching;

/* Reads n_streams sequences side by side, each of n floats, a multiple of READ_BLOCK. Returns a sum so that all are read. */
typedef float read_loop(const float *p, size_t n, size_t n_streams);

/* So many rounds of so many independent chains. Returns something so that all are computed. */
typedef float multiply_loop(float seed);

typedef struct reading {
    read_loop *loop[N_FETCHINGS];
} reading;

typedef struct multiplying {
    multiply_loop *loop;
    double operations; /* of one call, two a multiply-add */
} multiplying;

/*
 * The ways that an instruction set has and this machine can run: its own vectors, and narrower ones, since wide ones may lower
 * the clock. Integers: of 8 or 16 bits, summed in 32. Both lists end with an entry of NULL.
 */
const reading *limits_readings(const char *isa);
const multiplying *limits_float_ways(const char *isa);
const multiplying *limits_integer_ways(const char *isa);

#endif
