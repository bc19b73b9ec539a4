/*
 * detector.h - when a word counts as spoken: the model's answers in, words out, in integers but for two float operations
 *
 * A model's answer to a step is SPEECH_CLASSES numbers: class 0 is "no word", class d + 1 digit d. They become beliefs, whole
 * numbers that sum to about 255. The beliefs in each digit are summed over the last SPEECH_SMOOTH steps; a digit whose
 * sum reaches
 * the threshold is spoken. After a word the detector is deaf for a while, and to the same digit until its sum has fallen.
 */
#ifndef SPEECH_DETECTOR_H
#define SPEECH_DETECTOR_H

#include <stdint.h>

enum {
    SPEECH_DIGITS = 10,
    SPEECH_CLASSES = SPEECH_DIGITS + 1,
    SPEECH_SMOOTH = 4,                              /* steps */
    SPEECH_BELIEF = 255,                            /* certainty */
    SPEECH_THRESHOLD = 754,                         /* of SPEECH_SMOOTH * SPEECH_BELIEF = 1020, unless the caller says otherwise */
    SPEECH_RELEASE = 256,                           /* the same digit can be spoken again once its sum was below this */
    SPEECH_DEAF = 6                                 /* steps after a word in which no other is heard */
};

struct speech_detector {
    uint8_t beliefs[SPEECH_SMOOTH][SPEECH_DIGITS];  /* of the last steps, a ring */
    uint16_t sums[SPEECH_DIGITS];                   /* over the ring */
    uint16_t threshold;
    uint8_t next;                                   /* row of the ring that the next step replaces */
    uint8_t deaf;                                   /* steps still to wait */
    int8_t last;                                    /* the word that has not faded yet, or -1 */
};

void speech_detector_init(struct speech_detector *d, uint16_t threshold);

/* The softmax of logits (SPEECH_CLASSES), finite numbers, times SPEECH_BELIEF and rounded: beliefs (SPEECH_CLASSES). */
void speech_beliefs(const float *logits, uint8_t *beliefs);

/* One step's beliefs (SPEECH_CLASSES): the digit that counts as spoken now, or -1. */
int speech_detector_step(struct speech_detector *d, const uint8_t *beliefs);

#endif
