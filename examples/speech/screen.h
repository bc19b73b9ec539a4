/*
 * screen.h - what the speech program prints: a line a word, and on a terminal a line of level and beliefs that is drawn anew
 */
#ifndef SPEECH_SCREEN_H
#define SPEECH_SCREEN_H

#include <stdint.h>
#include <stdio.h>

struct screen {
    FILE *out;
    int live;                       /* out is a terminal that can draw a line anew */
    int32_t peak;                   /* largest |sample| since the live line was drawn */
};

/* live is found out; plain: no live line whatever out is */
void screen_init(struct screen *s, FILE *out, int plain);

/* A sample for the level meter. */
void screen_sample(struct screen *s, int16_t sample);

/* After a step: the live line, beliefs (11) from 0 to 255. seconds: time of the stream */
void screen_draw(struct screen *s, double seconds, const uint8_t *beliefs);

/* A word: its digit, the time, the belief from 0 to 1. */
void screen_word(struct screen *s, double seconds, int digit, double belief);

/* Takes the live line away. */
void screen_end(struct screen *s);

#endif
