/* Measures and places the scratch memory of runs. */
#include "workspace.h"

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

static void place_rows(struct workspace *w, const struct b2s6_model *m, size_t n_rows, struct arena *a)
{
    const struct needs *needs = &m->needs;
    const uint32_t d = b2s6_pad16(m->config.d_model), pack_rows = m->kernels->pack_rows;

    w->n_rows = n_rows;
    w->input = take(a, n_rows, m->config.input_kind == B2S6_FEATURES ? b2s6_pad16(m->config.input_size) : 0);
    w->x = take(a, n_rows, d);
    w->normed = take(a, n_rows, d);
    w->expanded = take(a, n_rows, needs->expanded);
    w->u = take(a, n_rows, needs->u);
    w->rank = take(a, n_rows, needs->rank);
    w->delta = take(a, n_rows, needs->delta);
    w->y = take(a, n_rows, needs->y);
    w->projected = take(a, n_rows, needs->projected);
    w->codes = (int16_t *)(void *)take(a, n_rows, needs->codes / 2);
    w->code_scales = take(a, n_rows, needs->code_parts);
    w->packed = take(a, pack_rows ? n_rows / pack_rows * pack_rows : 0, needs->packed);
}

size_t b2s6_workspace_layout(struct workspace *w, const struct b2s6_model *m, size_t n_rows, void *memory)
{
    struct arena a;

    a.memory = memory;
    a.used = 0;
    place_rows(w, m, n_rows, &a);
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
    place_rows(&s->work, m, n_steps < CHUNK_ROWS ? n_steps : CHUNK_ROWS, &a);
    return a.used;
}

size_t b2s6_chunk_rows(const struct workspace *w, size_t n_left)
{
    const size_t n_chunks = (n_left - 1) / w->n_rows + 1, even = (n_left - 1) / n_chunks + 1;
    const size_t whole = (even + (CHUNK_GRAIN - 1)) / CHUNK_GRAIN * CHUNK_GRAIN;

    if (n_chunks == 1)
        return n_left;
    return whole < w->n_rows ? whole : w->n_rows;
}
