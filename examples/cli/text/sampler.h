/*
 * sampler.h - drawing the next byte from a model's scores
 *
 * In integers, with its own random numbers: a seed gives the same text on every machine.
 */
#ifndef B2S6_CLI_SAMPLER_H
#define B2S6_CLI_SAMPLER_H

#include <stdint.h>

typedef struct sampler {
    uint32_t scale; /* what scores are multiplied by, as in prediction.h; 0: always the likeliest byte */
    unsigned top_k; /* only the k likeliest bytes, 1 .. 256 */
    uint64_t state; /* of the random numbers; the seed at the beginning */
} sampler;

/*
 * The scale for a temperature written as a decimal number with at most four decimals: 0 for "0", else 0.01 to 100.
 * 0, or -1 if it is none.
 */
int sampler_scale(const char *temperature, uint32_t *scale);

unsigned char sampler_draw(sampler *s, const float *row);

#endif
