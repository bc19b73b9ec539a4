/*
 * listener.c - front end, model and detector in a row (listener.h); the only file of the speech example that steps a model
 */
#include "listener.h"

int speech_model_fits(const b2s6_model *model)
{
    b2s6_model_info info = { .struct_size = sizeof info };

    return b2s6_model_describe(model, &info) == B2S6_OK && info.input_kind == B2S6_FEATURES &&
           info.input_size == SPEECH_INPUTS && info.output_size == SPEECH_CLASSES && info.pool == B2S6_POOL_NONE &&
           !info.bidirectional;
}

b2s6_status speech_listener_init(struct speech_listener *l, b2s6_state *state, uint16_t threshold)
{
    l->state = state;
    l->samples = 0;
    l->frames = 0;
    for (int i = 0; i < SPEECH_CLASSES; i++)
        l->beliefs[i] = 0;
    speech_frontend_init(&l->frontend);
    speech_detector_init(&l->detector, threshold);
    return b2s6_state_reset(state);
}

/* The model reads the two frames that are there. */
static b2s6_status step(struct speech_listener *l)
{
    return b2s6_step_features(l->state, l->features, SPEECH_INPUTS, l->logits, SPEECH_CLASSES);
}

size_t speech_listener_push(struct speech_listener *l, const int16_t *samples, size_t n, struct speech_event *event,
                            b2s6_status *status)
{
    int16_t bands[SPEECH_BANDS];
    size_t all = 0;

    event->stepped = 0;
    event->digit = -1;
    *status = B2S6_OK;
    while (all < n && !event->stepped) {
        int ready;

        all += speech_frontend_push(&l->frontend, samples + all, n - all, bands, &ready);
        if (!ready)
            continue;
        for (int m = 0; m < SPEECH_BANDS; m++)
            l->features[l->frames * SPEECH_BANDS + (uint32_t)m] = (float)(bands[m] - SPEECH_CENTRE) / (float)SPEECH_SCALE;
        if (++l->frames < SPEECH_FRAMES_A_STEP)
            continue;
        l->frames = 0;
        event->stepped = 1;
        *status = step(l);
        if (*status != B2S6_OK)
            break;
        speech_beliefs(l->logits, l->beliefs);
        event->digit = speech_detector_step(&l->detector, l->beliefs);
    }
    l->samples += all;
    event->samples = l->samples;
    return all;
}
