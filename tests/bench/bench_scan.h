/* bench_scan.h - the recurrence alone */
#ifndef B2S6_TESTS_BENCH_SCAN_H
#define B2S6_TESTS_BENCH_SCAN_H

#include "b2s6.h"
#include "src/kernels.h"

/*
 * State updates a second of a unit, in chunks of 64 steps on one thread; complex and real states count once each. s has the
 * unit's settings and weights, and bc_width, 0 without B and C of the input; the rest is made here. d is a multiple of 16.
 * 0 without memory.
 */
double bench_scan(const struct b2s6_kernels *kernels, struct scan s);

/* The same of the model's first unit, with its own weights and numbers in place of its activations. 0 if it has no unit. */
double bench_scan_of_model(const b2s6_model *model);

/* n floats between low and high, aligned; free() them. NULL without memory. */
float *bench_floats(size_t n, float low, float high);

#endif
