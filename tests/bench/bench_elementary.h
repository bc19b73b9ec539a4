/* bench_elementary.h - the library's exp, and factors of states, over arrays: a table for each instruction set that differs */
#ifndef B2S6_TESTS_BENCH_ELEMENTARY_H
#define B2S6_TESTS_BENCH_ELEMENTARY_H

#include <stddef.h>

typedef struct bench_elementary {
    const char *isa;
    void (*exponential)(const float *x, float *y, size_t n); /* y (n) = e^x; n a multiple of 16 */
    void (*factors)(const float *delta, float *y, size_t n); /* y (2, n): exp(delta A) of one complex A */
} bench_elementary;

/* For an instruction set by name; those with more than vectors of floats compute these as the one they stand on. */
const bench_elementary *bench_elementary_of(const char *isa);

#endif
