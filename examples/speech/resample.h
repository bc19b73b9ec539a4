/*
 * resample.h - 16, 44.1 and 48 kHz to 8 kHz: a windowed sinc in integers, streaming
 */
#ifndef SPEECH_RESAMPLE_H
#define SPEECH_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

/* An output sample is RESAMPLE_REACH output samples of sinc on either side; 48 kHz needs 2 * 16 * 6 taps. */
enum { RESAMPLE_REACH = 16, RESAMPLE_PHASES = 80, RESAMPLE_TAPS = 2 * RESAMPLE_REACH * 6 };

struct resampler {
    uint32_t up, down;                  /* 8000 / rate in lowest terms; up == down: samples pass unchanged */
    uint32_t taps;                      /* of one output sample */
    uint32_t phase;                     /* where between two input samples the next output is, in 1 / up */
    uint32_t wanted;                    /* input samples still to come before it */
    uint32_t at;                        /* where in the ring the next input goes */
    int16_t ring[RESAMPLE_TAPS];        /* (taps) the last inputs */
    int32_t weights[RESAMPLE_PHASES][RESAMPLE_TAPS];  /* (up, taps): sum 2^15 in every row */
};

/* 0, or -1 for a rate other than 8000, 16000, 44100 and 48000. Output is late by half the taps. */
int resampler_init(struct resampler *r, uint32_t rate);

/*
 * Takes input samples until an output sample is complete or all n are taken; returns how many. *ready says whether *out was
 * written.
 */
size_t resampler_push(struct resampler *r, const int16_t *samples, size_t n, int16_t *out, int *ready);

#endif
