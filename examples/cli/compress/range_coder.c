/* range_coder.c - encodes and decodes symbols by their frequencies, carries included */
#include "range_coder.h"

#include <string.h>

#include "../text/prediction.h"

#define INTERVAL_BITS 56
#define ONE (UINT64_C(1) << INTERVAL_BITS)
#define LEAST (ONE >> 8)
#define INTERVAL_BYTES (INTERVAL_BITS / 8)

/* ------------------------------------------------------------------------------------------------------------ encoder */

void range_encoder_start(range_encoder *e, void (*put)(void *to, unsigned char byte), void *to)
{
    memset(e, 0, sizeof *e);
    e->range = ONE;
    e->put = put;
    e->to = to;
}

/* The bytes held back, with the carry that has arrived for them. */
static void release_held(range_encoder *e)
{
    const unsigned char carry = (unsigned char)(e->low >> INTERVAL_BITS);
    if (e->has_held)
        e->put(e->to, (unsigned char)(e->held + carry));
    for (; e->n_full > 0; e->n_full--)
        e->put(e->to, (unsigned char)(0xff + carry));
    e->has_held = 0;
}

/*
 * The interval's highest byte is settled but for a carry. A byte below 0xff can take that, so it is held and those before it
 * can go; a byte 0xff would pass it on.
 */
static void shift_out(range_encoder *e)
{
    if (e->low >> (INTERVAL_BITS - 8) == 0xff) {
        e->n_full++;
    } else {
        release_held(e);
        e->held = (unsigned char)(e->low >> (INTERVAL_BITS - 8));
        e->has_held = 1;
    }
    e->low = (e->low & (LEAST - 1)) << 8;
}

void range_encode(range_encoder *e, uint32_t below, uint32_t frequency)
{
    const uint64_t unit = e->range >> FREQUENCY_BITS;
    e->low += unit * below;
    e->range = unit * frequency;
    while (e->range < LEAST) {
        shift_out(e);
        e->range <<= 8;
    }
}

void range_encoder_finish(range_encoder *e)
{
    int n_bytes = 0;
    uint64_t rest = ONE - 1; /* what is zero after n_bytes bytes */
    while (((e->low + rest) & ~rest) - e->low >= e->range) {
        rest >>= 8;
        n_bytes++;
    }
    e->low = (e->low + rest) & ~rest;
    for (; n_bytes > 0; n_bytes--)
        shift_out(e);
    release_held(e);
}

/* ------------------------------------------------------------------------------------------------------------ decoder */

void range_decoder_start(range_decoder *d, unsigned char (*get)(void *from), void *from)
{
    d->range = ONE;
    d->get = get;
    d->from = from;
    d->code = 0;
    for (int i = 0; i < INTERVAL_BYTES; i++)
        d->code = d->code << 8 | get(from);
}

uint32_t range_decoder_place(const range_decoder *d)
{
    const uint64_t place = d->code / (d->range >> FREQUENCY_BITS);
    return place < FREQUENCY_TOTAL ? (uint32_t)place : FREQUENCY_TOTAL;
}

void range_decode(range_decoder *d, uint32_t below, uint32_t frequency)
{
    const uint64_t unit = d->range >> FREQUENCY_BITS;
    d->code -= unit * below;
    d->range = unit * frequency;
    while (d->range < LEAST) {
        d->code = d->code << 8 | d->get(d->from);
        d->range <<= 8;
    }
}
