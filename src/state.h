/* The state handle: where in its memory everything is. */
#ifndef B2S6_STATE_H
#define B2S6_STATE_H

#include "workspace.h"

/*
 * Offsets are from the handle's own address, so that states of one model are copied with memcpy. A causal model keeps its
 * layers' parts one after another; a bidirectional one keeps none of them between runs and reuses one place for all layers.
 */
struct b2s6_state {
    const struct b2s6_model *model;
    uint64_t n_steps;            /* since the beginning of the stream */
    size_t mark;                 /* this state's place in a batch, to find one that is there twice */
    void *user;                  /* the host's */
    b2s6_allocator allocator;    /* release is NULL for a placed state */
};

/* Measures a state of this model: notes in m->state and in every layer where its parts are. The layers' parts are known. */
B2S6_INTERNAL void b2s6_state_layout(struct b2s6_model *m, struct layer *layers);

/* One place for layout, reset, copy, save and restore to learn what a stream keeps: the parts in their order. */
struct part_walk {
    uint32_t layer, index;       /* the next one to look at; both 0 at first */
    struct state_part part;      /* the one that was found */
    size_t at;                   /* its offset from the state's address */
};

/* Finds the next part of a state of this model; 0 when there are no more. Parts of bidirectional layers do not outlast a run. */
B2S6_INTERNAL int b2s6_next_part(const struct b2s6_model *m, struct part_walk *walk);

/* Floats of a part, padding included. */
static inline uint64_t part_floats(const struct state_part *part)
{
    return (uint64_t)part->rows * b2s6_pad16(part->width) * part->planes;
}

/* Part number index of this layer. */
static inline float *state_part(struct b2s6_state *state, const struct layer *layer, uint32_t index)
{
    return (float *)(void *)((unsigned char *)state + layer->part_at[index]);
}

/* The pooling's part. */
static inline float *state_pool(struct b2s6_state *state)
{
    return (float *)(void *)((unsigned char *)state + state->model->state.pool_at);
}

#endif
