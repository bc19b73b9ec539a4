/* bench.h - what `b2s6 bench` measures */
#ifndef B2S6_CLI_BENCH_H
#define B2S6_CLI_BENCH_H

#include <stddef.h>

#include <stdio.h>

#include "b2s6.h"
#include "../support/message.h"

/* Figures of one model on this machine. Rates are per second; fractions are of the machine's limit measured in the same run. */
typedef struct bench_result {
    size_t threads;
    const char *isa;
    b2s6_type type;                        /* of most weights */
    double read_gbs, fma_gflops;           /* memory beyond the caches; floats */
    double decode_limit_gbs;               /* reading as many bytes as a step reads, of which caches may hold a part */
    double multiply_gops;                  /* of integers if they are most weights and faster; operations, two a multiply-add */
    double decode_tps, decode_fraction;    /* one stream, step by step */
    double prefill_tps, prefill_fraction;  /* 512 steps at once, last row only */
    double step_us_median, step_us_p99;
    double batch64_tps;                    /* 64 streams, one step each */
    double open_ms;
    double state_bytes;
} bench_result;

/* parallel: of n_threads threads, NULL for one. isa NULL: the best. 0, or -1 with a message. */
int bench_model(const char *path, const b2s6_parallel *parallel, size_t n_threads, const char *isa, bench_result *result,
                message *m);

/*
 * Times this library beside another build of it, a shared library, pair by pair, and prints a table of how much longer the other
 * takes: medians of the pairs' ratios, and the interval that the median of the machine lies in with a certainty of 95 %.
 */
int bench_against(const char *path, const char *other, const b2s6_parallel *parallel, const char *isa, FILE *out, message *m);

#endif
