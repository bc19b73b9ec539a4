/*
 * range_coder.h - arithmetic coding: symbols with whole-number frequencies to bytes and back
 *
 * Frequencies add up to FREQUENCY_TOTAL. The interval is held in 56 bits and never falls below 48, so that rounding costs
 * less than 2^-23 bits a symbol. Bytes go out one by one, carries included.
 */
#ifndef B2S6_CLI_RANGE_CODER_H
#define B2S6_CLI_RANGE_CODER_H

#include <stdint.h>

typedef struct range_encoder {
    uint64_t low;       /* where the interval begins: 56 bits, and above them the carry */
    uint64_t range;     /* its length */
    int has_held;
    unsigned char held; /* the last byte, which a carry may still raise by one */
    uint64_t n_full;    /* how many bytes 0xff follow it, which a carry would turn to 0 */
    void (*put)(void *to, unsigned char byte);
    void *to;
} range_encoder;

void range_encoder_start(range_encoder *e, void (*put)(void *to, unsigned char byte), void *to);

/* The symbol whose share of the total begins at `below` and is `frequency` long. */
void range_encode(range_encoder *e, uint32_t below, uint32_t frequency);

/* The last bytes, as few as tell the interval: after them the decoder reads zeros. */
void range_encoder_finish(range_encoder *e);

typedef struct range_decoder {
    uint64_t code;  /* the coded number, counted from the interval's beginning */
    uint64_t range;
    unsigned char (*get)(void *from);
    void *from;
} range_decoder;

void range_decoder_start(range_decoder *d, unsigned char (*get)(void *from), void *from);

/*
 * The place within the total that the next symbol covers, 0 .. FREQUENCY_TOTAL - 1; a larger one cannot come from an encoder.
 * range_decode then takes the symbol.
 */
uint32_t range_decoder_place(const range_decoder *d);
void range_decode(range_decoder *d, uint32_t below, uint32_t frequency);

#endif
