/*
 * elementary.h - src/kernel/elementary.h as plain functions over arrays, one table for every instruction set
 *
 * Array lengths are multiples of 16. Every table gives the same bits.
 */
#ifndef TEST_ELEMENTARY_H
#define TEST_ELEMENTARY_H

#include <stddef.h>
#include <stdint.h>

enum { ELEMENTARY_UNARY = 5 };

typedef struct elementary_table {
    const char *isa;
    /* in the order of elementary_functions */
    void (*unary[ELEMENTARY_UNARY])(const float *x, float *y, size_t n);
    /* out: (5, n): of complex A scale, re, im, exp(z) = scale (1 + re + i im); of real A scale, re */
    void (*factors)(const float *delta, const float *decay, const float *turn, const float *turn_lo, float *out, size_t n);
    /* out: (3, n): a*b + c, c - a*b, a*b - c */
    void (*fma)(const float *a, const float *b, const float *c, float *out, size_t n);
    /* out: (10, n): the other operations of the vector layer */
    void (*layer)(const float *a, const float *b, float *out, size_t n);
} elementary_table;

enum { ELEMENTARY_LAYER = 10 };

/* The tables compiled in that this machine can run, portable first. */
size_t elementary_tables(const elementary_table *tables[8]);

/* The reference of each unary function: the exact value of its double argument to about 2^-50, and the bound promised. */
typedef struct elementary_function {
    const char *name;
    double (*exact)(double x);
    double max_ulp;
} elementary_function;

extern const elementary_function elementary_functions[ELEMENTARY_UNARY];

/* The largest error found. */
typedef struct elementary_error {
    double ulp;
    uint32_t at;        /* bits of the argument */
    uint64_t wrong;     /* results that are NaN, infinite or finite where the exact one is not */
} elementary_error;

/* |value - exact| in units of the last place of exact; -1 if only one of them is NaN or infinite. */
double elementary_ulp(float value, double exact);

/* Every stride-th float from the first bit pattern to the last. */
elementary_error elementary_scan(const elementary_table *table, int function, uint32_t first, uint32_t last, uint32_t stride);

/* exp(z), its two parts, the real part of exp(z) - 1 (the imaginary is the same), and that without an angle. */
void elementary_exact_factor(float delta, float decay, float turn, float turn_lo, double out[4]);

/* One number of the bits of every function over a fixed set of arguments; all NaN count as one. */
uint64_t elementary_digest(const elementary_table *table);

#endif
