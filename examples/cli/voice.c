/* voice.c - see voice.h */
#include "voice.h"

#include "prediction.h"

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

void voice_speak(voice *v, uint32_t *frequencies)
{
    uint32_t taken = 0, left, sum = 0;
    for (int i = 0; i < BYTE_VALUES; i++) {
        const uint32_t part = (uint32_t)((uint64_t)frequencies[i] * v->given->share >> 16);
        frequencies[i] -= part;
        taken += part;
    }
    left = taken;
    for (int k = 0; k < v->n; k++)
        sum += v->count[k];
    for (int k = 0; k < v->n; k++) {
        v->gain[k] = (uint32_t)((uint64_t)taken * v->count[k] / sum);
        left -= v->gain[k];
    }
    v->gain[0] += left; /* what rounding down left over */
    for (int k = 0; k < v->n; k++)
        v->after[k] = frequencies[v->byte[k]] += v->gain[k];
}

/* Trust is the mean of the parts that the voice had in the frequencies of the bytes that came, the last ones above all. */
void voice_judge(voice *v, unsigned char byte)
{
    trust *t = v->given;
    uint32_t part = 0;
    if (!t)
        return;
    for (int k = 0; k < v->n; k++)
        if (v->byte[k] == byte)
            part = (uint32_t)((uint64_t)v->gain[k] * TRUST_ONE / v->after[k]);
    t->share = (t->share * t->n + part) / (t->n + 1);
    t->share = t->share < TRUST_MIN ? TRUST_MIN : t->share > TRUST_MAX ? TRUST_MAX : t->share;
    if (t->n < TRUST_MEMORY)
        t->n++;
    v->given = NULL;
}
