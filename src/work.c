#include "work.h"

#include "kernels.h"

/* Hands out consecutive aligned pieces of memory, or only counts them; too much becomes SIZE_MAX and stays so. */
struct arena {
    unsigned char *memory;
    size_t used;
};

/* a * b > limit, for b below 2^32: with a 32-bit size_t the product itself fits, and no 64-bit division is needed. */
static int too_many(size_t a, uint64_t b, uint64_t limit)
{
    if (sizeof(size_t) == 4)
        return a * b > limit;
    return b && a > limit / b;
}

static float *take(struct arena *a, size_t n_rows, uint64_t floats_a_row)
{
    const uint64_t limit = SIZE_MAX / 2 / sizeof(float) - B2S6_ALIGNMENT;
    size_t at = a->used;
    uint64_t bytes;

    if (at == SIZE_MAX || too_many(n_rows, floats_a_row, limit)) {
        a->used = SIZE_MAX;
        return NULL;
    }
    bytes = n_rows * floats_a_row * sizeof(float);
    bytes = (bytes + (B2S6_ALIGNMENT - 1)) / B2S6_ALIGNMENT * B2S6_ALIGNMENT;
    if (bytes > SIZE_MAX / 2 - at) {
        a->used = SIZE_MAX;
        return NULL;
    }
    a->used = at + (size_t)bytes;
    return a->memory && bytes ? (float *)(void *)(a->memory + at) : NULL;
}

static void place_work(struct work *w, const struct b2s6_model *m, size_t n_rows, struct arena *a)
{
    const struct config *c = &m->config;
    const int mamba = config_is_mamba(c);
    uint64_t bc, mixed;

    w->n_rows = n_rows;
    w->d = b2s6_pad16(c->d_model);
    w->di = b2s6_pad16(c->d_inner);
    w->bc_width = b2s6_pad16(config_bc_rows(c));
    bc = (uint64_t)c->h * w->bc_width;
    mixed = (uint64_t)w->d * (mamba ? 1 : 2);
    w->input = take(a, n_rows, c->input_kind == B2S6_FEATURES ? b2s6_pad16(c->input_size) : 0);
    w->x = take(a, n_rows, w->d);
    w->normed = take(a, n_rows, w->d);
    w->vz = take(a, n_rows, mamba ? 2 * (uint64_t)w->di : 0);
    w->u = take(a, n_rows, mamba ? w->di : 0);
    w->rank = take(a, n_rows, b2s6_pad16(c->dt_rank));
    w->delta = take(a, n_rows, w->di);
    w->y = take(a, n_rows, w->di);
    w->bc = take(a, n_rows, bc > mixed ? bc : mixed);
    w->mixed = w->bc;
    w->codes = (int16_t *)(void *)take(a, n_rows, m->code_width / 2);
    w->code_scales = take(a, n_rows, m->code_parts);
    w->packed = take(a, m->kernels->pack_rows ? n_rows / m->kernels->pack_rows * m->kernels->pack_rows : 0, m->pack_width);
}

size_t b2s6_work_layout(struct work *w, const struct b2s6_model *m, size_t n_rows, void *memory)
{
    struct arena a;

    a.memory = memory;
    a.used = 0;
    place_work(w, m, n_rows, &a);
    return a.used;
}

size_t b2s6_sequence_layout(struct sequence *s, const struct b2s6_model *m, size_t n_steps, void *memory)
{
    const uint32_t d = b2s6_pad16(m->config.d_model);
    struct arena a;

    a.memory = memory;
    a.used = 0;
    s->x = take(&a, n_steps, d);
    s->normed = take(&a, n_steps, d);
    s->y = take(&a, n_steps, d);
    place_work(&s->work, m, n_steps < CHUNK_ROWS ? n_steps : CHUNK_ROWS, &a);
    return a.used;
}

size_t b2s6_work_chunk(const struct work *w, size_t n_left)
{
    const size_t n_chunks = (n_left - 1) / w->n_rows + 1, even = (n_left - 1) / n_chunks + 1;
    const size_t whole = (even + (CHUNK_GRAIN - 1)) / CHUNK_GRAIN * CHUNK_GRAIN;

    if (n_chunks == 1)
        return n_left;
    return whole < w->n_rows ? whole : w->n_rows;
}
