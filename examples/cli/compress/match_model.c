/* match_model.c - finds where the last bytes occurred before and expects what followed them there */
#include "match_model.h"

#include <stdlib.h>

#include "mixer.h"

enum {
    WINDOW_BITS = 22,  /* how far back a match can be */
    HEAD_BITS = 18,
    MATCH_BYTES = 6,   /* that must be equal to begin one */
    LENGTH_MOST = 32,  /* as far as a new one is compared */
    LENGTH_SETTLED = 16,
    MISSES_MOST = 8,   /* it is given up after so many wrong bytes with no settled run between them */
    LENGTH_CLASSES = 22
};

#define WINDOW (1u << WINDOW_BITS)

struct match_model {
    unsigned char *window; /* (WINDOW) the last bytes, in a ring */
    uint32_t *heads;       /* (2^HEAD_BITS) by hash of MATCH_BYTES bytes: 1 + the place after them; 0: none */
    uint32_t at;           /* where the next byte goes */
    uint32_t from;         /* where the match expects it to be */
    int found;
    uint32_t length;       /* bytes that were right since the last wrong one */
    uint32_t misses;
    trust trusts[2 * LENGTH_CLASSES]; /* matches without and with a miss */
    expectation expected;
};

enum { TRUST_FIRST = 13107 };

match_model *match_model_create(void)
{
    match_model *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->window = calloc(WINDOW, 1);
    m->heads = calloc((size_t)1 << HEAD_BITS, sizeof *m->heads);
    trusts_begin(m->trusts, 2 * LENGTH_CLASSES, TRUST_FIRST);
    if (m->window && m->heads)
        return m;
    match_model_destroy(m);
    return NULL;
}

void match_model_destroy(match_model *m)
{
    if (!m)
        return;
    free(m->window);
    free(m->heads);
    free(m);
}

static trust *trust_of_match(match_model *m)
{
    const uint32_t n = m->length;
    const uint32_t length = n < 16 ? n : n < 32 ? 16 + (n - 16) / 4 : n < 1024 ? 20 : 21;
    return &m->trusts[length + (m->misses ? LENGTH_CLASSES : 0)];
}

void match_model_mix(match_model *m, uint32_t *frequencies)
{
    if (!m->found)
        return;
    m->expected.n = 1;
    m->expected.byte[0] = m->window[m->from];
    m->expected.count[0] = 1;
    m->expected.trusted = trust_of_match(m);
    mixer_add(&m->expected, frequencies);
}

static uint32_t equal_bytes(const match_model *m, uint32_t from)
{
    uint32_t n = 0;
    while (n < LENGTH_MOST && m->window[(from - 1 - n) % WINDOW] == m->window[(m->at - 1 - n) % WINDOW])
        n++;
    return n;
}

/* Where the last bytes occurred before, unless the match that there is does better. */
static void look_up(match_model *m, uint64_t last)
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

static void follow(match_model *m, unsigned char byte)
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

void match_model_take(match_model *m, uint64_t last)
{
    const unsigned char byte = (unsigned char)last;
    mixer_learn(&m->expected, byte);
    follow(m, byte);
    m->window[m->at] = byte;
    m->at = (m->at + 1) % WINDOW;
    look_up(m, last);
}
