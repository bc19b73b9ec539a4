/* sampler.c - draws the next byte from a model's scores, with random numbers of its own */
#include "sampler.h"

#include "prediction.h"

#define DECIMALS 4
#define UNIT 10000u /* 10^DECIMALS: 1 as a temperature */

/* A decimal number in units of 10^-DECIMALS; -1 if it is none or too large. */
static int64_t parse_decimal(const char *text)
{
    int64_t value = 0;
    int decimals = -1, digits = 0;
    for (; *text; text++) {
        if (*text == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (*text < '0' || *text > '9' || decimals == DECIMALS || value > 1000 * UNIT)
            return -1;
        value = value * 10 + (*text - '0');
        digits++;
        decimals += decimals >= 0;
    }
    for (decimals = decimals < 0 ? 0 : decimals; decimals < DECIMALS; decimals++)
        value *= 10;
    return digits ? value : -1;
}

int sampler_scale(const char *temperature, uint32_t *scale)
{
    const int64_t t = parse_decimal(temperature);
    *scale = 0;
    if (t == 0)
        return 0;
    if (t < UNIT / 100 || t > 100 * (int64_t)UNIT)
        return -1;
    *scale = (uint32_t)(((uint64_t)SCALE_ONE * UNIT + (uint64_t)t / 2) / (uint64_t)t);
    return 0;
}

/* splitmix64 */
static uint64_t next_random(sampler *s)
{
    uint64_t z = s->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* How many bytes are likelier; of equal ones the lower value counts as likelier. */
static unsigned rank(const uint32_t *weights, int i)
{
    unsigned n = 0;
    for (int k = 0; k < BYTE_VALUES; k++)
        n += weights[k] > weights[i] || (weights[k] == weights[i] && k < i);
    return n;
}

static void keep_likeliest(uint32_t *weights, unsigned k)
{
    uint32_t kept[BYTE_VALUES];
    for (int i = 0; i < BYTE_VALUES; i++)
        kept[i] = rank(weights, i) < k ? weights[i] : 0;
    for (int i = 0; i < BYTE_VALUES; i++)
        weights[i] = kept[i];
}

unsigned char sampler_draw(sampler *s, const float *row)
{
    uint32_t weights[BYTE_VALUES], frequencies[BYTE_VALUES], place;
    int byte = 0;
    weights_of_scores(row, s->scale ? s->scale : SCALE_ONE, weights);
    if (s->scale == 0 || s->top_k < BYTE_VALUES)
        keep_likeliest(weights, s->scale == 0 ? 1 : s->top_k);
    frequencies_of_weights(weights, 0, frequencies);
    place = (uint32_t)(next_random(s) >> (64 - FREQUENCY_BITS));
    while (place >= frequencies[byte])
        place -= frequencies[byte++];
    return (unsigned char)byte;
}
