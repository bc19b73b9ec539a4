/*
 * detector.c - beliefs and words from a model's answers (detector.h)
 *
 * Powers of two come from a table, so that beliefs do not depend on a machine's exp: the same words everywhere.
 */
#include "detector.h"

/* (33): 2^16 2^(-i / 32), rounded */
static const uint32_t powers[33] = {
    65536, 64132, 62757, 61413, 60097, 58809, 57549, 56316, 55109, 53928, 52773, 51642, 50535, 49452, 48393, 47356, 46341,
    45348, 44376, 43425, 42495, 41584, 40693, 39821, 38968, 38133, 37316, 36516, 35734, 34968, 34219, 33486, 32768
};

void speech_detector_init(struct speech_detector *d, uint16_t threshold)
{
    static const struct speech_detector fresh;

    *d = fresh;
    d->threshold = threshold;
    d->last = -1;
}

/* 2^16 2^(-x / 1024), by a line between entries of the table */
static uint32_t power(uint32_t x)
{
    const uint32_t part = x & 1023, i = part >> 5, f = part & 31;
    const uint32_t value = powers[i] - (((powers[i] - powers[i + 1]) * f + 16) >> 5);

    return x >> 10 < 17 ? value >> (x >> 10) : 0;
}

void speech_beliefs(const float *logits, uint8_t *beliefs)
{
    uint32_t weights[SPEECH_CLASSES], sum = 0;
    float most = logits[0];

    for (int i = 1; i < SPEECH_CLASSES; i++)
        if (logits[i] > most)
            most = logits[i];
    for (int i = 0; i < SPEECH_CLASSES; i++) {
        const float below = most - logits[i];

        /* 1024 / ln 2 steps of 2^(-1 / 1024) make e^-1; beyond 12 the belief is 0 whatever it is */
        weights[i] = below < 12.0f ? power((uint32_t)(below * 1477.3197f)) : 0;
        sum += weights[i];
    }
    for (int i = 0; i < SPEECH_CLASSES; i++)
        beliefs[i] = (uint8_t)((weights[i] * SPEECH_BELIEF + sum / 2) / sum);
}

/* The digit with the largest sum, the smaller one of equals. */
static int most_believed(const struct speech_detector *d)
{
    int best = 0;

    for (int i = 1; i < SPEECH_DIGITS; i++)
        if (d->sums[i] > d->sums[best])
            best = i;
    return best;
}

int speech_detector_step(struct speech_detector *d, const uint8_t *beliefs)
{
    uint8_t *row = d->beliefs[d->next];
    int best;

    for (int i = 0; i < SPEECH_DIGITS; i++) {
        d->sums[i] = (uint16_t)(d->sums[i] + beliefs[i + 1] - row[i]);
        row[i] = beliefs[i + 1];
    }
    d->next = (uint8_t)((d->next + 1) % SPEECH_SMOOTH);
    if (d->last >= 0 && d->sums[d->last] < SPEECH_RELEASE)
        d->last = -1;
    if (d->deaf) {
        d->deaf--;
        return -1;
    }
    best = most_believed(d);
    if (d->sums[best] < d->threshold || best == d->last)
        return -1;
    d->last = (int8_t)best;
    d->deaf = SPEECH_DEAF;
    return best;
}
