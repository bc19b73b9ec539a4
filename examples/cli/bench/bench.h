/* bench.h - what `b2s6 bench` measures */
#ifndef B2S6_CLI_BENCH_H
#define B2S6_CLI_BENCH_H

#include <stddef.h>

#include "b2s6.h"
#include "../support/message.h"

/* Figures of one model on this machine. Rates are per second; fractions are of the machine's limit measured in the same run. */
typedef struct bench_result {
    size_t threads;
    const char *isa;
    b2s6_type type;                        /* of most weights */
    double read_gbs, fma_gflops;
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

#endif
