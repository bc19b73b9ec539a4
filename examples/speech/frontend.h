/*
 * frontend.h - samples in, log-mel features out: 8 kHz, 16 bit, 24 bands every 16 ms, in integers only
 *
 * Every result is defined to the last bit: tables of integers, additions, products and arithmetic shifts. The definition is
 * examples/pytorch/speech_frontend.py. Nothing is allocated and no library is needed.
 *
 *     static struct speech_frontend frontend;
 *     speech_frontend_init(&frontend);
 *     while (n) {
 *         size_t taken = speech_frontend_push(&frontend, samples, n, bands, &ready);
 *         samples += taken, n -= taken;
 *         if (ready)
 *             use(bands);
 *     }
 */
#ifndef SPEECH_FRONTEND_H
#define SPEECH_FRONTEND_H

#include <stddef.h>
#include <stdint.h>

enum {
    SPEECH_RATE = 8000,         /* samples a second */
    SPEECH_FRAME = 256,         /* samples a frame, 32 ms */
    SPEECH_HOP = 128,           /* samples from one frame to the next, 16 ms */
    SPEECH_BANDS = 24,
    SPEECH_CENTRE = 4096,       /* feature = (band - SPEECH_CENTRE) / SPEECH_SCALE */
    SPEECH_SCALE = 1024
};

/* One stream's front end, 1.5 KB. */
struct speech_frontend {
    int16_t samples[SPEECH_FRAME];      /* of the frame under way */
    uint32_t filled;                    /* how many of them are there */
    int32_t z[SPEECH_FRAME];            /* (128, 2) scratch: complex points of the transform, real and imaginary part */
};

/* To the beginning of a stream. */
void speech_frontend_init(struct speech_frontend *f);

/*
 * Takes samples until a frame is complete or all n are taken; returns how many were taken. *ready says whether bands
 * (SPEECH_BANDS) was written: log2 of the energy in 1/256, from 0 for silence to about 9500.
 */
size_t speech_frontend_push(struct speech_frontend *f, const int16_t *samples, size_t n, int16_t *bands, int *ready);

#endif
