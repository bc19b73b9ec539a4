/* The state handle: where in its memory everything lies. */
#ifndef B2S6_STATE_H
#define B2S6_STATE_H

#include "work.h"

/*
 * Offsets are from the handle's own address, so that states of one model are copied with memcpy. A causal model keeps a
 * unit's states and a convolution's window for each layer; a bidirectional one keeps nothing between runs and reuses one
 * place for them.
 */
struct b2s6_state {
    const struct b2s6_model *model;
    uint64_t n_steps;            /* since the beginning of the stream */
    size_t mark;                 /* this state's place in a batch, to find one that stands twice */
    b2s6_allocator allocator;    /* release is NULL for a placed state */
};

/* Measures a state, as b2s6_model_build notes it in the model. */
B2S6_INTERNAL struct state_layout b2s6_state_layout(const struct b2s6_model *model);

/* Layer l's part of the state. */
B2S6_INTERNAL float *b2s6_state_unit(struct b2s6_state *state, uint32_t l);
B2S6_INTERNAL float *b2s6_state_window(struct b2s6_state *state, uint32_t l);
B2S6_INTERNAL float *b2s6_state_pool(struct b2s6_state *state);

#endif
