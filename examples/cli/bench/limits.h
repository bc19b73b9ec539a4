/* limits.h - what the machine allows: the read bandwidth and the multiply-add rate that figures are measured against */
#ifndef B2S6_CLI_LIMITS_H
#define B2S6_CLI_LIMITS_H

#include "b2s6.h"

/* Seconds since some moment. */
double limits_now(void);

/*
 * Best read rate in 10^9 bytes a second over 1 to 16 sequential streams a thread, reading n_bytes of memory in all, and best
 * float multiply-add rate in 10^9 operations a second (two an fma), with the vectors of the instruction set named.
 * parallel: of n_threads threads, NULL for one. 0 if there is no memory for it.
 */
double limits_read_gbs(const b2s6_parallel *parallel, size_t n_threads, const char *isa, size_t n_bytes);
double limits_fma_gflops(const b2s6_parallel *parallel, size_t n_threads, const char *isa);

#endif
