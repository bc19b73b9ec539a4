/* bench_scan.h - the recurrence alone */
#ifndef B2S6_TESTS_BENCH_SCAN_H
#define B2S6_TESTS_BENCH_SCAN_H

#include "b2s6.h"
#include "src/kernels.h"

/* State updates a second of the model's first unit, in chunks of 64 steps on one thread. */
double bench_scan_of_model(const b2s6_model *model);

/* The same of a unit: complex and real states count once each. d_inner is a multiple of 16. */
double bench_scan(const struct b2s6_kernels *kernels, const struct config *config, const struct unit *unit);

/* n floats between low and high, aligned; free() them. NULL without memory. */
float *bench_floats(size_t n, float low, float high);

#endif
