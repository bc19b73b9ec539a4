/* recall.c - see recall.h */
#include "recall.h"

#include <stdlib.h>
#include <string.h>

#include "prediction.h"

/* ---------------------------------------------------------------------------------------------------------------- trust */

#define TRUST_ONE 65536u
#define TRUST_MIN 16u /* so that every memory is heard again when the file turns to what it knows */
#define TRUST_MAX 65504u
#define TRUST_BEFORE 2 /* what it starts with weighs as much as so many judgements */
#define TRUST_MEMORY 24 /* and never do those before weigh more than so many */

typedef struct trust {
    uint32_t share; /* of TRUST_ONE */
    uint32_t n;     /* what it rests on, in judgements */
} trust;

enum { MOST_BYTES = 8 }; /* that one memory expects */

/* What one memory said about the next byte. */
typedef struct voice {
    trust *given;               /* NULL: it was silent */
    int n;
    unsigned char byte[MOST_BYTES];
    uint32_t count[MOST_BYTES]; /* how often each has been seen */
    uint32_t gain[MOST_BYTES];  /* what it added to each one's frequency */
    uint32_t after[MOST_BYTES]; /* the frequencies then */
} voice;

/* Takes the share it is given from every frequency and hands it to the voice's bytes in proportion to their counts. */
static void speak(voice *v, uint32_t *frequencies)
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
static void judge(voice *v, unsigned char byte)
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

/* ------------------------------------------------------------------------------------------------------------- contexts */

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
    voice said;
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

static void context_speak(context *c, int order, uint64_t last, uint32_t *frequencies)
{
    find_slot(c, order, last);
    if (c->now->n == 0)
        return;
    c->said.n = c->now->n;
    for (int k = 0; k < c->now->n; k++) {
        c->said.byte[k] = c->now->byte[k];
        c->said.count[k] = c->now->count[k];
    }
    c->said.given = trust_of_slot(c);
    speak(&c->said, frequencies);
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
    judge(&c->said, byte);
    for (int k = 0; k < s->n; k++)
        if (k != place)
            s->count[k] = (uint8_t)(s->count[k] - s->count[k] / 4);
    if (s->count[place] < 255)
        s->count[place]++;
}

/* --------------------------------------------------------------------------------------------------------------- match */

enum {
    WINDOW_BITS = 22,  /* how far back a match can lie */
    HEAD_BITS = 18,
    MATCH_BYTES = 6,   /* that must be equal to begin one */
    LENGTH_MOST = 32,  /* as far as a new one is compared */
    LENGTH_SETTLED = 16,
    MISSES_MOST = 8,   /* it is given up after so many wrong bytes with no settled run between them */
    LENGTH_CLASSES = 22
};

#define WINDOW (1u << WINDOW_BITS)

typedef struct match {
    unsigned char *window; /* (WINDOW) the last bytes, in a ring */
    uint32_t *heads;       /* (2^HEAD_BITS) by hash of MATCH_BYTES bytes: 1 + the place behind them; 0: none */
    uint32_t at;           /* where the next byte goes */
    uint32_t from;         /* where the match expects it to stand */
    int found;
    uint32_t length;       /* bytes that were right since the last wrong one */
    uint32_t misses;
    trust trusts[2 * LENGTH_CLASSES]; /* matches without and with a miss */
    voice said;
} match;

static trust *trust_of_match(match *m)
{
    const uint32_t n = m->length;
    const uint32_t length = n < 16 ? n : n < 32 ? 16 + (n - 16) / 4 : n < 1024 ? 20 : 21;
    return &m->trusts[length + (m->misses ? LENGTH_CLASSES : 0)];
}

static void match_speak(match *m, uint32_t *frequencies)
{
    if (!m->found)
        return;
    m->said.n = 1;
    m->said.byte[0] = m->window[m->from];
    m->said.count[0] = 1;
    m->said.given = trust_of_match(m);
    speak(&m->said, frequencies);
}

static uint32_t equal_bytes(const match *m, uint32_t from)
{
    uint32_t n = 0;
    while (n < LENGTH_MOST && m->window[(from - 1 - n) % WINDOW] == m->window[(m->at - 1 - n) % WINDOW])
        n++;
    return n;
}

/* Where the last bytes stood before, unless the match there is goes on better. */
static void look_up(match *m, uint64_t last)
{
    uint32_t *head = &m->heads[(last << (64 - 8 * MATCH_BYTES)) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - HEAD_BITS)];
    const int wanted = !m->found || (m->misses > 0 && m->length < LENGTH_SETTLED);
    if (wanted && *head != 0) {
        const uint32_t n = equal_bytes(m, *head - 1);
        if (n >= MATCH_BYTES && (!m->found || n > m->length)) {
            m->found = 1;
            m->from = *head - 1;
            m->length = n;
            m->misses = 0;
        }
    }
    *head = 1 + m->at;
}

static void follow(match *m, unsigned char byte)
{
    if (!m->found)
        return;
    if (m->window[m->from] == byte) {
        m->length++;
        if (m->length >= LENGTH_SETTLED)
            m->misses = 0;
    } else {
        m->length = 0;
        m->found = ++m->misses <= MISSES_MOST;
    }
    m->from = (m->from + 1) % WINDOW;
}

static void match_take(match *m, unsigned char byte, uint64_t last)
{
    judge(&m->said, byte);
    follow(m, byte);
    m->window[m->at] = byte;
    m->at = (m->at + 1) % WINDOW;
    look_up(m, last);
}

/* ------------------------------------------------------------------------------------------------------------- together */

struct recall {
    uint64_t last; /* the last eight bytes, the newest lowest; zeros before the first */
    context contexts[N_ORDERS];
    match match;
};

enum { TRUST_CONTEXT = 3277, TRUST_MATCH = 13107 }; /* to begin with */

static void set_all(trust *trusts, size_t n, uint32_t share)
{
    for (size_t i = 0; i < n; i++) {
        trusts[i].share = share;
        trusts[i].n = TRUST_BEFORE;
    }
}

recall *recall_create(void)
{
    recall *r = calloc(1, sizeof *r);
    int complete;
    if (!r)
        return NULL;
    r->match.window = calloc(WINDOW, 1);
    r->match.heads = calloc((size_t)1 << HEAD_BITS, sizeof *r->match.heads);
    complete = r->match.window && r->match.heads;
    set_all(r->match.trusts, 2 * LENGTH_CLASSES, TRUST_MATCH);
    for (int i = 0; i < N_ORDERS; i++) {
        context *c = &r->contexts[i];
        c->slots = calloc((size_t)1 << SLOT_BITS, sizeof *c->slots);
        complete = complete && c->slots;
        set_all(c->trusts, COUNT_CLASSES * BYTE_CLASSES, TRUST_CONTEXT);
    }
    if (complete)
        return r;
    recall_destroy(r);
    return NULL;
}

void recall_destroy(recall *r)
{
    if (!r)
        return;
    for (int i = 0; i < N_ORDERS; i++)
        free(r->contexts[i].slots);
    free(r->match.window);
    free(r->match.heads);
    free(r);
}

void recall_mix(recall *r, uint32_t *frequencies)
{
    for (int i = 0; i < N_ORDERS; i++)
        context_speak(&r->contexts[i], orders[i], r->last, frequencies);
    match_speak(&r->match, frequencies);
}

void recall_take(recall *r, unsigned char byte)
{
    for (int i = 0; i < N_ORDERS; i++)
        context_take(&r->contexts[i], byte);
    r->last = r->last << 8 | byte;
    match_take(&r->match, byte, r->last);
}
