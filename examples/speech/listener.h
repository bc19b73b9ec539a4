/*
 * listener.h - from samples to words: front end, model and detector of one stream, the same on a desktop and on a board
 *
 *     static struct speech_listener listener;
 *     speech_listener_init(&listener, state, SPEECH_THRESHOLD);
 *     while (n) {
 *         size_t taken = speech_listener_push(&listener, samples, n, &event, &status);
 *         samples += taken, n -= taken;
 *         if (event.stepped && event.digit >= 0)
 *             say(event.digit, event.samples);
 *     }
 */
#ifndef SPEECH_LISTENER_H
#define SPEECH_LISTENER_H

#include "b2s6.h"
#include "detector.h"
#include "frontend.h"

enum {
    SPEECH_FRAMES_A_STEP = 2,
    SPEECH_INPUTS = SPEECH_FRAMES_A_STEP * SPEECH_BANDS
};

struct speech_listener {
    b2s6_state *state;                              /* the caller's: of a model that speech_model_fits */
    struct speech_frontend frontend;
    struct speech_detector detector;
    uint64_t samples;                               /* taken since the beginning of the stream */
    uint32_t frames;                                /* of the step under way: 0 or 1 */
    float features[SPEECH_INPUTS];                  /* (SPEECH_FRAMES_A_STEP, SPEECH_BANDS) */
    float logits[SPEECH_CLASSES];
    uint8_t beliefs[SPEECH_CLASSES];                /* after the last step */
};

/* What happened to the samples that were pushed. */
struct speech_event {
    int stepped;                                    /* whether the model took a step: beliefs are new */
    int digit;                                      /* the word that counts as spoken now, or -1 */
    uint64_t samples;                               /* taken so far: the time, in 1 / SPEECH_RATE s */
};

/* Whether a model has the inputs and outputs that a listener needs. */
int speech_model_fits(const b2s6_model *model);

/* To the beginning of a stream; state is reset. Allocates nothing. */
b2s6_status speech_listener_init(struct speech_listener *l, b2s6_state *state, uint16_t threshold);

/*
 * Takes samples up to the next step of the model, or all n; returns how many. A status other than B2S6_OK is a model's and
 * cannot happen with one that fits.
 */
size_t speech_listener_push(struct speech_listener *l, const int16_t *samples, size_t n, struct speech_event *event,
                            b2s6_status *status);

#endif
