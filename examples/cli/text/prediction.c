/* prediction.c - turns a model's scores into weights and frequencies, in integers alone */
#include "prediction.h"

/* Scores beyond this many nats are cut; no trained model has them. */
#define SCORE_LIMIT 8192

/* A score in units of 2^-16 nats. The product is exact, the conversion drops what is below a unit. */
static int32_t fixed_score(float score)
{
    if (!(score > -(float)SCORE_LIMIT))
        return -SCORE_LIMIT * 65536;
    if (score > (float)SCORE_LIMIT)
        return SCORE_LIMIT * 65536;
    return (int32_t)(score * 65536.0f);
}

static int32_t highest_score(const float *row)
{
    int32_t highest = fixed_score(row[0]);
    for (int i = 1; i < BYTE_VALUES; i++)
        if (fixed_score(row[i]) > highest)
            highest = fixed_score(row[i]);
    return highest;
}

/* 2^-f for f in units of 2^-32, in units of 2^-32: a polynomial of degree 5, relative error 2^-23.5. */
static uint64_t power_of_half(uint64_t f)
{
    uint64_t p = 39538603 - (f * 4058330 >> 32);
    p = 237500346 - (f * p >> 32);
    p = 1031565859 - (f * p >> 32);
    p = 2977029614u - (f * p >> 32);
    return (UINT64_C(1) << 32) - (f * p >> 32);
}

void weights_of_scores(const float *row, uint32_t scale, uint32_t *weights)
{
    const int32_t highest = highest_score(row);
    for (int i = 0; i < BYTE_VALUES; i++) {
        const uint64_t below = (uint64_t)((int64_t)highest - fixed_score(row[i])); /* 2^-16 nats */
        const uint64_t halvings = below * scale;                                   /* 2^-40 bits */
        const uint64_t whole = halvings >> 40;
        weights[i] = whole > 31 ? 0 : (uint32_t)(power_of_half(halvings >> 8 & 0xffffffff) >> (whole + 1));
    }
}

void frequencies_of_weights(const uint32_t *weights, uint32_t flat, uint32_t *frequencies)
{
    uint64_t sum = 0, each;
    uint32_t left = FREQUENCY_TOTAL;
    int most = 0;
    for (int i = 0; i < BYTE_VALUES; i++)
        sum += weights[i];
    each = ((uint64_t)(FREQUENCY_TOTAL - BYTE_VALUES * flat) << 39) / sum; /* at most 2^32, since one weight is 2^31 */
    for (int i = 0; i < BYTE_VALUES; i++) {
        frequencies[i] = flat + (uint32_t)(weights[i] * each >> 39);
        left -= frequencies[i];
        if (weights[i] > weights[most])
            most = i;
    }
    frequencies[most] += left; /* what rounding down left over */
}

uint32_t flat_after(uint32_t flat, uint32_t frequency)
{
    return FLAT_MIN + (uint32_t)((uint64_t)(FLAT_MAX - FLAT_MIN) * flat / frequency);
}
