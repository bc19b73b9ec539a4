/* limits.h - what the machine allows: the rates of reading, and of multiplying and adding, that figures are measured against */
#ifndef B2S6_CLI_LIMITS_H
#define B2S6_CLI_LIMITS_H

#include "b2s6.h"

/* Seconds since some moment. */
double limits_now(void);

/* Bytes that no cache of this machine keeps. */
size_t limits_beyond_caches(void);

/*
 * The best rate of reading n_bytes again and again, in 10^9 bytes a second: of all widths of vectors that the instruction set
 * has, 1 to 16 streams a thread, with and without fetching ahead, in small pages and in large ones. What a cache can hold of so
 * many bytes comes from there, as a model of that size does. 0 if there is no memory for it.
 *
 * parallel: of n_threads threads, NULL for one.
 */
double limits_read_gbs(const b2s6_parallel *parallel, size_t n_threads, const char *isa, size_t n_bytes);

/* The best rates of multiplying and adding in registers, in 10^9 operations a second, two a multiply-add. */
double limits_fma_gflops(const b2s6_parallel *parallel, size_t n_threads, const char *isa);
double limits_integer_gops(const b2s6_parallel *parallel, size_t n_threads, const char *isa);

#endif
