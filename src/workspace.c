/*
 * Measures and places the scratch memory of runs. An arena hands out pieces one after another; with NULL for its
 * memory it only counts. Sizes come from files and hosts, so no sum or product of them may wrap: one that is too large
 * turns the arena's count to SIZE_MAX, where it stays, and callers look at the end only once.
 */
#include "workspace.h"

#include "kernels.h"

/*
 * Hands out consecutive pieces of memory, each of whole 64-byte lines, or only counts them. used is SIZE_MAX once a
 * piece did not fit, and at most SIZE_MAX / 2 before that: half of the range stays free, so that a caller may add to
 * it.
 */
struct arena {
    unsigned char *memory;
    size_t used;
};

/*
 * a * b > limit, for b below 2^32. Where size_t has 32 bits the product itself fits into 64, and no division of 64
 * bits is needed, which would be a function of its own on small machines; elsewhere a division is what cannot wrap.
 */
static int too_many(size_t a, uint64_t b, uint64_t limit)
{
    if (sizeof(size_t) == 4)
        return a * b > limit;
    return b && a > limit / b;
}

/*
 * The next piece: n_rows rows of so many floats. NULL if it is empty, does not fit, or the arena only counts. Nothing
 * wraps: with the limit bytes is at most SIZE_MAX / 2 - 256, so it can be rounded up, and at is at most SIZE_MAX / 2.
 */
static float *take(struct arena *a, size_t n_rows, uint64_t floats_a_row)
{
    const uint64_t limit = SIZE_MAX / 2 / sizeof(float) - B2S6_ALIGNMENT;
    size_t at = a->used;
    uint64_t bytes;

    if (at == SIZE_MAX || too_many(n_rows, floats_a_row, limit)) {
        a->used = SIZE_MAX;
        return NULL;
    }
    /* the end of the piece is rounded up, so that the next one begins aligned */
    bytes = n_rows * floats_a_row * sizeof(float);
    bytes = (bytes + (B2S6_ALIGNMENT - 1)) / B2S6_ALIGNMENT * B2S6_ALIGNMENT;
    if (bytes > SIZE_MAX / 2 - at) {
        a->used = SIZE_MAX;
        return NULL;
    }
    a->used = at + (size_t)bytes;
    return a->memory && bytes ? (float *)(void *)(a->memory + at) : NULL;
}

/*
 * All places of a chunk. Which of them a model needs, and how wide, was found when it was opened (b2s6_layer_place,
 * b2s6_need_prepared); width 0 takes no room. codes are 16-bit integers, two to a float of the arena; their number is
 * a multiple of 16 (b2s6_code_width). packed holds whole tiles only: the rows that do not fill one are read as they
 * are, so the single row of a state's own scratch is never packed and the state has the same size on every instruction
 * set.
 */
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
    /* half as many floats as there are codes; every place of the arena is aligned for both */
    w->codes = (int16_t *)(void *)take(a, n_rows, needs->codes / 2);
    w->code_scales = take(a, n_rows, needs->code_parts);
    w->packed = take(a, pack_rows ? n_rows / pack_rows * pack_rows : 0, needs->packed);
}

/*
 * Places and sizes come from the same calls of take, so what is measured is what is used. n_rows may be 0:
 * no bytes.
 */
size_t b2s6_workspace_layout(struct workspace *w, const struct b2s6_model *m, size_t n_rows, void *memory)
{
    struct arena a;

    a.memory = memory;
    a.used = 0;
    place_rows(w, m, n_rows, &a);
    return a.used;
}

/*
 * The sequences first, then a chunk's workspace after them in the same memory. No more rows than the
 * sequence has are needed. codes and tiles are for a chunk only: products of a whole sequence are taken
 * chunk by chunk, the head's too.
 */
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

/*
 * Grouping changes no bit, so this is about speed alone: few chunks, since each reads all weights, and
 * chunks of whole tiles of rows (kernel/product.h).
 */
size_t b2s6_chunk_rows(const struct workspace *w, size_t n_left)
{
    /* as few chunks as the workspace allows, their even share rounded up to whole tiles; both quotients are rounded up */
    const size_t n_chunks = (n_left - 1) / w->n_rows + 1, even = (n_left - 1) / n_chunks + 1;
    const size_t whole = (even + (CHUNK_GRAIN - 1)) / CHUNK_GRAIN * CHUNK_GRAIN;

    if (n_chunks == 1)
        return n_left;
    /* rounding up may pass what there is room for; a workspace of few rows takes as many as it has */
    return whole < w->n_rows ? whole : w->n_rows;
}
