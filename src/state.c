#include "state.h"

#include "memory.h"

static size_t round_up(uint64_t bytes)
{
    bytes = (bytes + (B2S6_ALIGNMENT - 1)) / B2S6_ALIGNMENT * B2S6_ALIGNMENT;
    return bytes > SIZE_MAX / 4 ? SIZE_MAX / 4 : (size_t)bytes;
}

struct state_layout b2s6_state_layout(const struct b2s6_model *model)
{
    const struct config *c = &model->config;
    const uint64_t layers = c->bidirectional ? 1 : c->n_layers;
    struct state_layout l;
    struct work w;
    uint64_t end;
    size_t work;

    /* widths are at most 2^16, n and layers 2^12 each: everything here stays far below 2^64 */
    l.unit_bytes = round_up((uint64_t)b2s6_pad16(c->d_inner) * c->d_state * config_planes(c) * sizeof(float));
    l.window_bytes = round_up(c->d_conv ? (c->d_conv - 1) * (uint64_t)b2s6_pad16(c->d_inner) * sizeof(float) : 0);
    l.pool_bytes = round_up(c->pool == B2S6_POOL_MEAN ? 2 * (uint64_t)b2s6_pad16(c->d_model) * sizeof(float) : 0);
    end = round_up(sizeof(struct b2s6_state));
    l.units_at = (size_t)end;
    end += layers * l.unit_bytes;
    l.windows_at = round_up(end);
    end += layers * l.window_bytes;
    l.pool_at = round_up(end);
    end += l.pool_bytes;
    l.work_at = round_up(end);
    work = b2s6_work_layout(&w, model, c->bidirectional ? 0 : 1, NULL);
    l.size = end > SIZE_MAX / 4 || work > SIZE_MAX / 4 ? SIZE_MAX : (size_t)end + work;
    return l;
}

float *b2s6_state_unit(struct b2s6_state *state, uint32_t l)
{
    return (float *)(void *)((unsigned char *)state + state->model->state.units_at + l * state->model->state.unit_bytes);
}

float *b2s6_state_window(struct b2s6_state *state, uint32_t l)
{
    return (float *)(void *)((unsigned char *)state + state->model->state.windows_at + l * state->model->state.window_bytes);
}

float *b2s6_state_pool(struct b2s6_state *state)
{
    return (float *)(void *)((unsigned char *)state + state->model->state.pool_at);
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
    if (memory_size < b2s6_state_size(model))
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
        own.release(own.user, memory); /* an allocator that does not align */
    else
        (*state)->allocator = own;
    return status;
}

b2s6_status b2s6_state_reset(b2s6_state *state)
{
    const struct state_layout *l;

    if (!state)
        return B2S6_ERROR_ARGUMENT;
    l = &state->model->state;
    memset((unsigned char *)state + l->units_at, 0, l->work_at - l->units_at);
    state->n_steps = 0;
    return B2S6_OK;
}

b2s6_status b2s6_state_copy(b2s6_state *to, const b2s6_state *from)
{
    const struct state_layout *l;

    if (!to || !from)
        return B2S6_ERROR_ARGUMENT;
    if (to->model != from->model)
        return B2S6_ERROR_MODEL;
    l = &to->model->state;
    if (to != from)
        memcpy((unsigned char *)to + l->units_at, (const unsigned char *)from + l->units_at, l->work_at - l->units_at);
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
        allocator.release(allocator.user, state);
}

const b2s6_model *b2s6_state_model(const b2s6_state *state)
{
    return state ? state->model : NULL;
}

uint64_t b2s6_state_steps(const b2s6_state *state)
{
    return state ? state->n_steps : 0;
}
