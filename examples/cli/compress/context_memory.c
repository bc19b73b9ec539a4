/* context_memory.c - remembers which bytes followed the last one, two and four bytes, and mixes that into a prediction */
#include "context_memory.h"

#include <stdlib.h>
#include <string.h>

#include "match_model.h"
#include "mixer.h"

enum { N_ORDERS = 3, SLOT_BITS = 16, COUNT_CLASSES = 7, BYTE_CLASSES = 4 };

static const int orders[N_ORDERS] = { 1, 2, 4 };

/* The bytes seen after one context, newest counts weighing most. */
typedef struct slot {
    uint16_t tag; /* of the context that the slot is for */
    uint8_t n;
    uint8_t byte[MOST_BYTES], count[MOST_BYTES];
} slot;

typedef struct context {
    slot *slots; /* (2^SLOT_BITS) */
    slot *now;   /* of the last bytes */
    trust trusts[COUNT_CLASSES * BYTE_CLASSES];
    expectation expected;
} context;

static void find_slot(context *c, int order, uint64_t last)
{
    /* Odd, so that no two contexts of up to four bytes share both slot and tag. */
    const uint32_t hash = (uint32_t)(last & (0xffffffffu >> (32 - 8 * order))) * 0x9e3779b1u;
    c->now = &c->slots[hash >> (32 - SLOT_BITS)];
    if (c->now->tag != (hash & 0xffff)) {
        memset(c->now, 0, sizeof *c->now);
        c->now->tag = (uint16_t)(hash & 0xffff);
    }
}

/* Slots that have seen about as much, and as many different bytes, share a trust. */
static trust *trust_of_slot(context *c)
{
    static const uint32_t from[COUNT_CLASSES] = { 0, 2, 3, 5, 9, 17, 65 };
    uint32_t sum = 0;
    int counts = COUNT_CLASSES - 1;
    const int n = c->now->n, bytes = n < 2 ? 0 : n < 3 ? 1 : n < 5 ? 2 : 3;
    for (int k = 0; k < n; k++)
        sum += c->now->count[k];
    while (sum < from[counts])
        counts--;
    return &c->trusts[counts * BYTE_CLASSES + bytes];
}

static void context_mix(context *c, int order, uint64_t last, uint32_t *frequencies)
{
    find_slot(c, order, last);
    if (c->now->n == 0)
        return;
    c->expected.n = c->now->n;
    for (int k = 0; k < c->now->n; k++) {
        c->expected.byte[k] = c->now->byte[k];
        c->expected.count[k] = c->now->count[k];
    }
    c->expected.trusted = trust_of_slot(c);
    mixer_add(&c->expected, frequencies);
}

/* The place for a byte in a slot: its own, a free one, or that of the byte with the smallest count. */
static int place_for(slot *s, unsigned char byte)
{
    int least = 0;
    for (int k = 0; k < s->n; k++) {
        if (s->byte[k] == byte)
            return k;
        if (s->count[k] < s->count[least])
            least = k;
    }
    if (s->n < MOST_BYTES)
        least = s->n++;
    s->byte[least] = byte;
    s->count[least] = 0;
    return least;
}

static void context_take(context *c, unsigned char byte)
{
    slot *s = c->now;
    const int place = place_for(s, byte);
    mixer_learn(&c->expected, byte);
    for (int k = 0; k < MOST_BYTES; k++) /* beyond s->n there are zeros */
        if (k != place)
            s->count[k] = (uint8_t)(s->count[k] - s->count[k] / 4);
    if (s->count[place] < 255)
        s->count[place]++;
}

/* ------------------------------------------------------------------------------------------------------------- together */

struct context_memory {
    uint64_t last; /* the last eight bytes, the newest lowest; zeros before the first */
    context contexts[N_ORDERS];
    match_model *match;
};

enum { TRUST_FIRST = 3277 };

context_memory *context_memory_create(void)
{
    context_memory *m = calloc(1, sizeof *m);
    int complete;
    if (!m)
        return NULL;
    m->match = match_model_create();
    complete = m->match != NULL;
    for (int i = 0; i < N_ORDERS; i++) {
        context *c = &m->contexts[i];
        c->slots = calloc((size_t)1 << SLOT_BITS, sizeof *c->slots);
        complete = complete && c->slots;
        trusts_begin(c->trusts, COUNT_CLASSES * BYTE_CLASSES, TRUST_FIRST);
    }
    if (complete)
        return m;
    context_memory_destroy(m);
    return NULL;
}

void context_memory_destroy(context_memory *m)
{
    if (!m)
        return;
    for (int i = 0; i < N_ORDERS; i++)
        free(m->contexts[i].slots);
    match_model_destroy(m->match);
    free(m);
}

void context_memory_mix(context_memory *m, uint32_t *frequencies)
{
    for (int i = 0; i < N_ORDERS; i++)
        context_mix(&m->contexts[i], orders[i], m->last, frequencies);
    match_model_mix(m->match, frequencies);
}

void context_memory_take(context_memory *m, unsigned char byte)
{
    for (int i = 0; i < N_ORDERS; i++)
        context_take(&m->contexts[i], byte);
    m->last = m->last << 8 | byte;
    match_model_take(m->match, m->last);
}
