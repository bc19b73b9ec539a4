/*
 * The state handle: one stream in flight. All it remembers of the past, and scratch for one row, is in one block of
 * memory, laid out once for a model when the model is opened (struct state_layout in model.h):
 *
 *     0           struct b2s6_state
 *     parts_at    layer 0's states, layer 0's window, layer 1's states, ...     the stream
 *     pool_at     sum and lost, if the model pools by a mean                    the stream
 *     work_at     a workspace of one row                                        no part of the stream
 *     size
 *
 * each beginning at a multiple of 64 bytes. Knows no kernels: a part is rows of floats, whatever they mean.
 */
#ifndef B2S6_STATE_H
#define B2S6_STATE_H

#include "workspace.h"

/*
 * The head of a state. Everything after it is found by offsets from the handle's own address, never by pointers, so
 * that what two states of one model keep is copied with memcpy. A causal model keeps its layers' parts one after
 * another; a bidirectional one keeps none of them between runs and reuses one place for all layers.
 */
struct b2s6_state {
    const struct b2s6_model *model;
    uint64_t n_steps;            /* since the beginning of the stream */
    size_t mark;                 /* this state's place in a batch, to find one that is there twice */
    void *user;                  /* the host's */
    b2s6_allocator allocator;    /* release is NULL for a placed state */
};

/*
 * Measures a state of this model: notes in m->state and in every layer where its parts are. The layers' parts (rows,
 * width, planes), m->needs and m->kernels must be known. layers are the model's own, which are constant for everybody
 * else.
 */
B2S6_INTERNAL void b2s6_state_layout(struct b2s6_model *m, struct layer *layers);

/*
 * A walk over what a stream keeps. One place for layout, reset, copy, save and restore to learn it: the parts in their
 * order, which is also the order of a snapshot (docs/format.md). A walk begins as all zero.
 */
struct part_walk {
    uint32_t layer, index;       /* the next one to look at; both 0 at first */
    struct state_part part;      /* the one that was found */
    size_t at;                   /* its offset from the state's address */
};

/*
 * Finds the next part of a state of this model, 1, or 0 when there are no more and from then on. Parts of
 * bidirectional layers do not outlast a run and are left out; the pooling's part comes last.
 */
B2S6_INTERNAL int b2s6_next_part(const struct b2s6_model *m, struct part_walk *walk);

/* Floats of a part, padding included: at most 2^30 (rows 1, width 2^16, planes 2^14; or rows 63 and one plane). */
static inline uint64_t part_floats(const struct state_part *part)
{
    return (uint64_t)part->rows * b2s6_pad16(part->width) * part->planes;
}

/*
 * Part number index of this layer in this state: (rows, groups of 16 channels, planes, 16). The layer must be one of
 * the state's model.
 */
static inline float *state_part(struct b2s6_state *state, const struct layer *layer, uint32_t index)
{
    return (float *)(void *)((unsigned char *)state + layer->part_at[index]);
}

/*
 * The pooling's part: sums (pad16(d_model)), then what their roundings lost (pad16(d_model)). Only if the pool is a
 * mean.
 */
static inline float *state_pool(struct b2s6_state *state)
{
    return (float *)(void *)((unsigned char *)state + state->model->state.pool_at);
}

#endif
