/* mixer.c - moves a trusted share of the frequencies to the bytes that a memory expects */
#include "mixer.h"

#include "../text/prediction.h"

#define TRUST_MIN 16u /* so that every memory is heard again when the file turns to what it knows */
#define TRUST_MAX 65504u
#define TRUST_BEFORE 2 /* what it starts with weighs as much as so many judgements */
#define TRUST_MEMORY 24 /* and never do those before weigh more than so many */

void trusts_begin(trust *trusts, size_t n, uint32_t share)
{
    for (size_t i = 0; i < n; i++) {
        trusts[i].share = share;
        trusts[i].n = TRUST_BEFORE;
    }
}

void mixer_add(expectation *e, uint32_t *frequencies)
{
    uint32_t taken = 0, left, sum = 0;
    for (int i = 0; i < BYTE_VALUES; i++) {
        const uint32_t part = (uint32_t)((uint64_t)frequencies[i] * e->trusted->share >> 16);
        frequencies[i] -= part;
        taken += part;
    }
    left = taken;
    for (int k = 0; k < e->n; k++)
        sum += e->count[k];
    for (int k = 0; k < e->n; k++) {
        e->gain[k] = (uint32_t)((uint64_t)taken * e->count[k] / sum);
        left -= e->gain[k];
    }
    e->gain[0] += left; /* what rounding down left over */
    for (int k = 0; k < e->n; k++)
        e->after[k] = frequencies[e->byte[k]] += e->gain[k];
}

/* Trust is the mean of the parts that the expectation had in the frequencies of the bytes that came, the last ones above all. */
void mixer_learn(expectation *e, unsigned char byte)
{
    trust *t = e->trusted;
    uint32_t part = 0;
    if (!t)
        return;
    for (int k = 0; k < e->n; k++)
        if (e->byte[k] == byte)
            part = (uint32_t)((uint64_t)e->gain[k] * TRUST_ONE / e->after[k]);
    t->share = (t->share * t->n + part) / (t->n + 1);
    t->share = t->share < TRUST_MIN ? TRUST_MIN : t->share > TRUST_MAX ? TRUST_MAX : t->share;
    if (t->n < TRUST_MEMORY)
        t->n++;
    e->trusted = NULL;
}
