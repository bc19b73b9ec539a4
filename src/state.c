/*
 * The state handle: laid out, made, reset, copied, given back. The layout is computed once, when the model is opened,
 * with 64-bit sums that cannot wrap; a model whose state this machine cannot address opens all the same (it can be
 * described), and making a state of it fails. After that every function here is a memset, a memcpy or a read.
 */
#include "state.h"

#include "memory.h"

/*
 * Bytes of whole 64-byte lines, so that each part is aligned for any vector. 64 bits on every machine: what cannot be
 * addressed must stay above every limit and not wrap below it.
 */
static uint64_t round_up(uint64_t bytes)
{
    return (bytes + (B2S6_ALIGNMENT - 1)) / B2S6_ALIGNMENT * B2S6_ALIGNMENT;
}

/*
 * What the pooling keeps, in the shape of a layer's part: two rows, a running sum and what rounding took
 * from it. No rows unless the pool is a mean; "last" keeps nothing. In this shape a snapshot and a reset
 * need not know of pooling.
 */
static struct state_part pool_part(const struct b2s6_model *m)
{
    struct state_part part;

    part.rows = m->config.pool == B2S6_POOL_MEAN ? 2 : 0;
    part.width = m->config.d_model;
    part.planes = 1;
    return part;
}

/*
 * Places a layer's parts from *at on. Each part is at most 2^30 floats and layers are 4096, so *at stays below 2^46.
 * The offset may be cut where size_t has 32 bits; then the state's size is SIZE_MAX and no state is ever made.
 */
static void place_parts(struct layer *layer, uint64_t *at)
{
    uint32_t i;

    for (i = 0; i < STATE_PARTS; i++) {
        layer->part_at[i] = (size_t)*at;
        *at += round_up(part_floats(&layer->part[i]) * sizeof(float));
    }
}

/*
 * In a bidirectional model all layers' parts begin at the same place: b2s6_sequence_run finishes one layer before the
 * next, and clears the place between them. It has no scratch row either, since it cannot be stepped.
 */
void b2s6_state_layout(struct b2s6_model *m, struct layer *layers)
{
    const uint64_t begin = round_up(sizeof(struct b2s6_state));
    const struct state_part pool = pool_part(m);
    struct workspace w;
    /* where the next part goes; the end of the furthest part so far */
    uint64_t at = begin, end = begin;
    uint32_t l;
    size_t work;

    for (l = 0; l < m->config.n_layers; l++) {
        /* one after another, or all at the same place: the largest then says where the end is */
        at = model_is_bidirectional(m) ? begin : at;
        place_parts(&layers[l], &at);
        end = at > end ? at : end;
    }
    /* cut to 32 bits on small machines; if that loses anything, size says that there is no state */
    m->state.parts_at = (size_t)begin;
    m->state.pool_at = (size_t)end;
    end += round_up(part_floats(&pool) * sizeof(float));
    m->state.work_at = (size_t)end;
    work = b2s6_workspace_layout(&w, m, model_is_bidirectional(m) ? 0 : 1, NULL);
    /* a quarter each: their sum cannot wrap, and SIZE_MAX stays free to say that there is none */
    m->state.size = end > SIZE_MAX / 4 || work > SIZE_MAX / 4 ? SIZE_MAX : (size_t)end + work;
}

/*
 * walk->index counts the parts of the layer in hand, and after the last layer whether the pooling's part has been
 * found: it is 0 there at first, whether layers were walked or not.
 */
int b2s6_next_part(const struct b2s6_model *m, struct part_walk *walk)
{
    const uint32_t n_layers = model_is_bidirectional(m) ? 0 : m->config.n_layers;
    const struct layer *layer;
    uint32_t i;

    /*
     * ends: each turn moves index on, or the layer; a part without rows (a convolution of one tap) is
     * passed over
     */
    while (walk->layer < n_layers) {
        layer = &m->layers[walk->layer];
        i = walk->index++;
        /* all parts of this layer have been looked at, those with rows found */
        if (i == STATE_PARTS) {
            walk->layer++;
            walk->index = 0;
        } else if (layer->part[i].rows) {
            walk->part = layer->part[i];
            walk->at = layer->part_at[i];
            return 1;
        }
    }
    /* the layers are done; a part without rows is not a part */
    walk->part = pool_part(m);
    walk->at = m->state.pool_at;
    return walk->index++ == 0 && walk->part.rows;
}

/*
 * Measured once, when the model was opened. SIZE_MAX says that there is no such state on this machine. The
 * size is the same for every instruction set, so that a host can reserve it by a macro (b2s6 embed): only
 * packed rows depend on the instruction set, and the one row of the scratch is never packed.
 */
size_t b2s6_state_size(const b2s6_model *model)
{
    return model ? model->state.size : 0;
}

/*
 * Memory of the host becomes a state: no allocator, so that destroying it releases nothing. Scratch is not cleared, it
 * is written before it is read.
 */
b2s6_status b2s6_state_place(b2s6_state **state, const b2s6_model *model, void *memory, size_t memory_size)
{
    if (!state)
        return B2S6_ERROR_ARGUMENT;
    *state = NULL;
    if (!model || !memory)
        return B2S6_ERROR_ARGUMENT;
    /* vectors are loaded and stored at multiples of 64 bytes from here */
    if (!b2s6_is_aligned(memory, B2S6_ALIGNMENT))
        return B2S6_ERROR_ALIGNMENT;
    if (model->state.size == SIZE_MAX || memory_size < model->state.size)
        return B2S6_ERROR_SIZE;
    *state = memory;
    memset(*state, 0, sizeof **state);
    /* the rest of the head is zero: no steps, no user, no allocator */
    (*state)->model = model;
    return b2s6_state_reset(*state);
}

/*
 * One allocation, then the same as placing. The only error that placing can find here is an allocator's alignment; its
 * memory goes back before the failure is reported. A size of SIZE_MAX is never asked for.
 */
b2s6_status b2s6_state_create(b2s6_state **state, const b2s6_model *model, const b2s6_allocator *allocator)
{
    b2s6_allocator own;
    b2s6_status status;
    size_t size;
    void *memory;

    if (!state)
        return B2S6_ERROR_ARGUMENT;
    *state = NULL;
    if (!model || !b2s6_take_allocator(&own, allocator))
        return B2S6_ERROR_ARGUMENT;
    /* a model whose state cannot be addressed is answered as memory that is not there */
    size = b2s6_state_size(model);
    memory = size == SIZE_MAX ? NULL : own.allocate(own.user, size, B2S6_ALIGNMENT);
    if (!memory)
        return B2S6_ERROR_MEMORY;
    status = b2s6_state_place(state, model, memory, size);
    if (status)
        own.release(own.user, memory, size); /* an allocator that does not align */
    else
        (*state)->allocator = own;
    return status;
}

/*
 * Bytes from the layers' first part to the scratch: the stream and nothing else, padding lanes included. So one memset
 * and one memcpy serve all parts, whatever blocks there are.
 */
static size_t stream_bytes(const struct b2s6_model *m)
{
    return m->state.work_at - m->state.parts_at;
}

/*
 * Zero bytes are the float +0, with which states, convolution windows and sums begin (docs/arithmetic.md);
 * so a reset state gives the bits of a new one. Padding lanes become zero as well, and stay harmless: no
 * lane reads another's. The host's pointer and the allocator stay. The scratch is left as it is.
 */
b2s6_status b2s6_state_reset(b2s6_state *state)
{
    if (!state)
        return B2S6_ERROR_ARGUMENT;
    memset((unsigned char *)state + state->model->state.parts_at, 0, stream_bytes(state->model));
    state->n_steps = 0;
    return B2S6_OK;
}

/*
 * Both states must be of one handle, not merely of equal files: offsets are the handle's. Copying a state to itself is
 * allowed, and skipped since memcpy may not overlap.
 */
b2s6_status b2s6_state_copy(b2s6_state *to, const b2s6_state *from)
{
    size_t at;

    if (!to || !from)
        return B2S6_ERROR_ARGUMENT;
    if (to->model != from->model)
        return B2S6_ERROR_MODEL;
    at = to->model->state.parts_at;
    if (to != from)
        memcpy((unsigned char *)to + at, (const unsigned char *)from + at, stream_bytes(to->model));
    to->n_steps = from->n_steps;
    return B2S6_OK;
}

/*
 * The allocator is copied first: it is stored in the memory that it takes back. The size is the one that
 * was asked for. A state in the host's memory has no release and is only forgotten.
 */
void b2s6_state_destroy(b2s6_state *state)
{
    b2s6_allocator allocator;

    if (!state)
        return;
    allocator = state->allocator;
    if (allocator.release)
        allocator.release(allocator.user, state, state->model->state.size);
}

/*
 * What a host may ask of a state. NULL is answered with nothing, as b2s6.h says of these. The model is the
 * one that the state was made for; it must still be open.
 */
const b2s6_model *b2s6_state_model(const b2s6_state *state)
{
    return state ? state->model : NULL;
}

/* 64 bits: a stream of a million steps a second would take half a million years to pass them. */
uint64_t b2s6_state_steps(const b2s6_state *state)
{
    return state ? state->n_steps : 0;
}

/*
 * The host's pointer is kept and never looked at. It is no part of the stream, so neither reset, copy nor
 * a snapshot touch it.
 */
void b2s6_state_set_user(b2s6_state *state, void *user)
{
    if (state)
        state->user = user;
}

/* Callbacks that get a state find their own data by it. */
void *b2s6_state_user(const b2s6_state *state)
{
    return state ? state->user : NULL;
}
