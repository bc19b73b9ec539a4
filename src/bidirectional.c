/*
 * Whole sequences through models that read some layers in both directions: layer after layer, each over
 * all rows in chunks.
 *
 * A causal model takes a chunk of rows through all its layers and forgets it. Here that is not possible: a
 * layer's output at the first row depends on the last row. So all rows are kept, three times (struct
 * sequence), and layers take turns:
 *
 *     x       (n_steps, d)   the residual stream
 *     normed  (n_steps, d)   what both units of a layer read
 *     y       (n_steps, d)   forward unit's output, then plus the backward unit's
 *
 * Forwards chunks go from the first row on, backwards from the last one back, and the unit's state goes
 * from chunk to chunk as in a causal run. So the memory of a chunk (codes, delta, B and C ...) does not
 * grow with the sequence. All layers use one place of the state, one after another; nothing of it is left
 * when the run ends.
 */
#include "bidirectional.h"

#include "block.h"
#include "layer.h"

/*
 * A sequence under way. The pass is of one stream; its rows are those of the chunk in hand. `at` is where
 * everything is.
 */
struct walk {
    struct pass pass;
    struct sequence at;
    size_t n_steps;
    size_t d;            /* pad16(d_model) */
};

/*
 * Takes rows from step done on into the pass: as many of what is left as the workspace has rows, at least
 * one. Returns their number. Only x is set: callers point at the same rows of normed and y themselves.
 */
static size_t next_chunk(struct walk *k, size_t done)
{
    const size_t left = k->n_steps - done;

    k->pass.x = k->at.x + done * k->d;
    k->pass.n_steps = left < k->at.work.n_rows ? left : k->at.work.n_rows;
    return k->pass.n_steps;
}

/* The same for what needs no workspace rows, norms and the model's end: all steps at once. */
static const struct pass *whole(struct walk *k)
{
    k->pass.x = k->at.x;
    k->pass.n_steps = k->n_steps;
    return &k->pass;
}

/*
 * Clears the place of the layers' parts for the next user: a layer, or a direction of one. The pool's part
 * is after it and stays.
 */
static void forget(struct walk *k)
{
    const struct state_layout *l = &k->pass.model->state;

    memset((unsigned char *)k->pass.states[0] + l->parts_at, 0, l->pool_at - l->parts_at);
}

/*
 * y = the unit that reads in this direction, over the whole sequence in chunks; the second direction is
 * added to the first. A backward chunk is n rows counted from the end; the unit walks them from the last
 * to the first and puts each output at its own row, so rows of both directions meet without being turned
 * round. It writes to the chunk's own y first: a unit sets its output and does not add.
 */
static void unit_over_sequence(struct walk *k, const struct layer *layer, int backwards)
{
    struct sequence *s = &k->at;
    size_t done, n, at;
    struct unit_pass u;

    memset(&u, 0, sizeof u);
    u.layer = layer;
    u.unit = backwards ? LAYER_BACKWARDS(layer) : &layer->unit;
    u.backwards = backwards;
    forget(k);
    for (done = 0; done < k->n_steps; done += n) {
        n = next_chunk(k, done);
        /* where the chunk's rows are in the sequence, in floats */
        at = (backwards ? k->n_steps - done - n : done) * k->d;
        u.u = s->normed + at;
        u.y = backwards ? s->work.y : s->y + at;
        b2s6_unit_pass(&k->pass, &u);
        /* elementwise, so it is done on this thread at once */
        if (backwards)
            k->pass.model->kernels->add(s->y + at, s->work.y, pass_span(&k->pass, k->d, 0, k->d / B2S6_LANES));
    }
}

/*
 * A layer that reads in both directions, over all rows of the sequence, in place. Both units read the same
 * rows, which must not change while the first of them writes: a copy of x, or its norm.
 *
 *     y = unit_0(in) + unit_1(in backwards);  x += mix(y),  in = norm(x) or x;  post-norm: x = norm(x)
 *
 * mix is the block's own (the GELU and the gated projection of s4).
 */
static void both_directions(struct walk *k, const struct layer *layer)
{
    const struct layer_config *c = &layer->config;
    struct sequence *s = &k->at;
    size_t done, n;

    if (c->norm_place == NORM_POST)
        memcpy(s->normed, s->x, k->n_steps * k->d * sizeof *s->x);
    else
        b2s6_layer_norm(whole(k), layer, s->x, s->normed);
    unit_over_sequence(k, layer, 0);
    unit_over_sequence(k, layer, 1);
    for (done = 0; done < k->n_steps; done += n) {
        n = next_chunk(k, done);
        /* adds to x of the chunk, which next_chunk has set */
        layer->block->mix(&k->pass, layer, s->y + done * k->d);
    }
    if (c->norm_place == NORM_POST)
        b2s6_layer_norm(whole(k), layer, s->x, s->x);
}

/*
 * A causal layer among others that are not: the pass of the layer, chunk after chunk, with its state from
 * one to the next.
 */
static void one_direction(struct walk *k, uint32_t l)
{
    size_t done, n;

    forget(k);
    for (done = 0; done < k->n_steps; done += n) {
        n = next_chunk(k, done);
        b2s6_layer_pass(&k->pass, l);
    }
}

/* All rows of input into x. The ends are a copy: the caller's keep their beginning. */
static void encode_sequence(struct walk *k, struct stream_ends e)
{
    size_t done, n;

    for (done = 0; done < k->n_steps; done += n) {
        n = next_chunk(k, done);
        b2s6_encode_pass(&k->pass, &e);
        e.tokens = e.tokens ? e.tokens + n : NULL;
        e.features = e.features ? e.features + n * k->pass.model->config.input_size : NULL;
    }
}

/*
 * Two layouts: the first only measures, since a workspace that is too small must not be touched. After
 * that nothing fails. The state is reset, so every run is a sequence of its own; a mean, if there is one,
 * is summed over all rows at the end. The number of steps is set last: finishing counts from the beginning
 * of the stream.
 */
b2s6_status b2s6_sequence_run(struct b2s6_state *state, const struct stream_ends *e, size_t n_steps, const b2s6_run_options *o)
{
    const struct b2s6_model *m = state->model;
    struct stream_ends ends = *e;
    struct walk k;
    size_t need;
    uint32_t l;

    need = b2s6_sequence_layout(&k.at, m, n_steps, NULL);
    if (!o->workspace || need == SIZE_MAX || o->workspace_size < need)
        return B2S6_ERROR_SIZE;
    b2s6_sequence_layout(&k.at, m, n_steps, o->workspace);
    b2s6_state_reset(state);
    /* n_steps and x of the pass are set by next_chunk and whole */
    k.pass.model = m;
    k.pass.states = &state;
    k.pass.n_streams = 1;
    k.pass.work = &k.at.work;
    k.pass.parallel = o->parallel;
    k.pass.observer = o->observer;
    k.n_steps = n_steps;
    k.d = b2s6_pad16(m->config.d_model);
    encode_sequence(&k, ends);
    for (l = 0; l < m->config.n_layers; l++) {
        /* one model may have layers of both kinds */
        if (m->layers[l].config.bidirectional)
            both_directions(&k, &m->layers[l]);
        else
            one_direction(&k, l);
    }
    b2s6_finish_pass(whole(&k), &ends);
    state->n_steps = n_steps;
    return B2S6_OK;
}
