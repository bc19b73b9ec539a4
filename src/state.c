/* The state handle: laid out, made, reset, copied. */
#include "state.h"

#include "memory.h"

/* Bytes of whole 64-byte lines; what cannot be addressed stays above every limit. */
static uint64_t round_up(uint64_t bytes)
{
    return (bytes + (B2S6_ALIGNMENT - 1)) / B2S6_ALIGNMENT * B2S6_ALIGNMENT;
}

static struct state_part pool_part(const struct b2s6_model *m)
{
    struct state_part part;

    part.rows = m->config.pool == B2S6_POOL_MEAN ? 2 : 0;
    part.width = m->config.d_model;
    part.planes = 1;
    return part;
}

/* Places a layer's parts from *at on. Each part is below 2^16 4096 4 floats, and layers are 4096: nothing wraps. */
static void place_parts(struct layer *layer, uint64_t *at)
{
    uint32_t i;

    for (i = 0; i < STATE_PARTS; i++) {
        layer->part_at[i] = (size_t)*at;
        *at += round_up(part_floats(&layer->part[i]) * sizeof(float));
    }
}

void b2s6_state_layout(struct b2s6_model *m, struct layer *layers)
{
    const uint64_t begin = round_up(sizeof(struct b2s6_state));
    const struct state_part pool = pool_part(m);
    struct workspace w;
    uint64_t at = begin, end = begin;
    uint32_t l;
    size_t work;

    for (l = 0; l < m->config.n_layers; l++) {
        at = model_is_bidirectional(m) ? begin : at;
        place_parts(&layers[l], &at);
        end = at > end ? at : end;
    }
    m->state.parts_at = (size_t)begin;
    m->state.pool_at = (size_t)end;
    end += round_up(part_floats(&pool) * sizeof(float));
    m->state.work_at = (size_t)end;
    work = b2s6_workspace_layout(&w, m, model_is_bidirectional(m) ? 0 : 1, NULL);
    m->state.size = end > SIZE_MAX / 4 || work > SIZE_MAX / 4 ? SIZE_MAX : (size_t)end + work;
}

int b2s6_next_part(const struct b2s6_model *m, struct part_walk *walk)
{
    const uint32_t n_layers = model_is_bidirectional(m) ? 0 : m->config.n_layers;
    const struct layer *layer;
    uint32_t i;

    while (walk->layer < n_layers) {
        layer = &m->layers[walk->layer];
        i = walk->index++;
        if (i == STATE_PARTS) {
            walk->layer++;
            walk->index = 0;
        } else if (layer->part[i].rows) {
            walk->part = layer->part[i];
            walk->at = layer->part_at[i];
            return 1;
        }
    }
    walk->part = pool_part(m);
    walk->at = m->state.pool_at;
    return walk->index++ == 0 && walk->part.rows;
}

size_t b2s6_state_size(const b2s6_model *model)
{
    return model ? model->state.size : 0;
}

b2s6_status b2s6_state_place(b2s6_state **state, const b2s6_model *model, void *memory, size_t memory_size)
{
    if (!state)
        return B2S6_ERROR_ARGUMENT;
    *state = NULL;
    if (!model || !memory)
        return B2S6_ERROR_ARGUMENT;
    if (!b2s6_is_aligned(memory, B2S6_ALIGNMENT))
        return B2S6_ERROR_ALIGNMENT;
    if (model->state.size == SIZE_MAX || memory_size < model->state.size)
        return B2S6_ERROR_SIZE;
    *state = memory;
    memset(*state, 0, sizeof **state);
    (*state)->model = model;
    return b2s6_state_reset(*state);
}

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

/* What is between the layers' first part and the scratch is the stream, so one memset and one memcpy serve all parts. */
static size_t stream_bytes(const struct b2s6_model *m)
{
    return m->state.work_at - m->state.parts_at;
}

b2s6_status b2s6_state_reset(b2s6_state *state)
{
    if (!state)
        return B2S6_ERROR_ARGUMENT;
    memset((unsigned char *)state + state->model->state.parts_at, 0, stream_bytes(state->model));
    state->n_steps = 0;
    return B2S6_OK;
}

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

void b2s6_state_destroy(b2s6_state *state)
{
    b2s6_allocator allocator;

    if (!state)
        return;
    allocator = state->allocator;
    if (allocator.release)
        allocator.release(allocator.user, state, state->model->state.size);
}

const b2s6_model *b2s6_state_model(const b2s6_state *state)
{
    return state ? state->model : NULL;
}

uint64_t b2s6_state_steps(const b2s6_state *state)
{
    return state ? state->n_steps : 0;
}

void b2s6_state_set_user(b2s6_state *state, void *user)
{
    if (state)
        state->user = user;
}

void *b2s6_state_user(const b2s6_state *state)
{
    return state ? state->user : NULL;
}
