/*
 * sample.h - the loops over a row of logits that take time, where an instruction set has them faster
 *
 * For what sample.c defines: the same bits. Only whole groups of 8 logits are done here, sample.c does the rest.
 */
#ifndef B2S6_SAMPLE_H
#define B2S6_SAMPLE_H

#include "common.h"

#if defined(__x86_64__) && defined(__GNUC__) && B2S6_HAS_ISAS
#  define B2S6_SAMPLE_AVX2 1

/* Whether the processor and the system have it; takes longer than a short row. */
B2S6_INTERNAL int b2s6_sample_has_avx2(void);

/* The sum of e^(logit - max) in units of 2^-40, max finite. n is a multiple of 8. */
B2S6_INTERNAL uint64_t b2s6_sample_sum_avx2(const float *logits, size_t n, float max);

/* The bits of logits to weights in units of 2^-31, max finite. n is a multiple of 8. */
B2S6_INTERNAL void b2s6_sample_weights_avx2(uint32_t *scratch, size_t n, float max, float temperature);

/* What the weights above a limit add up to, or (count) how many they are. n is a multiple of 8. */
B2S6_INTERNAL uint64_t b2s6_sample_above_avx2(const uint32_t *weights, size_t n, uint32_t limit, int count);
#endif

#endif
