/* Whole sequences through models that read some layers in both directions: layer after layer, each over all rows in chunks. */
#include "bidirectional.h"

#include "block.h"
#include "layer.h"

/* A sequence under way. The pass is of one stream; its rows are those of the chunk in hand. */
struct walk {
    struct pass pass;
    struct sequence at;
    size_t n_steps;
    size_t d;            /* pad16(d_model) */
};

/* Takes rows from step done on into the pass: as many of what is left as the workspace has rows. */
static size_t next_chunk(struct walk *k, size_t done)
{
    const size_t left = k->n_steps - done;

    k->pass.x = k->at.x + done * k->d;
    k->pass.n_steps = left < k->at.work.n_rows ? left : k->at.work.n_rows;
    return k->pass.n_steps;
}

/* The same for what needs no workspace rows: all steps at once. */
static const struct pass *whole(struct walk *k)
{
    k->pass.x = k->at.x;
    k->pass.n_steps = k->n_steps;
    return &k->pass;
}

/* All layers use one place of the state, one after another. */
static void forget(struct walk *k)
{
    const struct state_layout *l = &k->pass.model->state;

    memset((unsigned char *)k->pass.states[0] + l->parts_at, 0, l->pool_at - l->parts_at);
}

/* y = the unit that reads in this direction, over the whole sequence in chunks; the second direction is added to the first. */
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
        at = (backwards ? k->n_steps - done - n : done) * k->d;
        u.u = s->normed + at;
        u.y = backwards ? s->work.y : s->y + at;
        b2s6_unit_pass(&k->pass, &u);
        if (backwards)
            k->pass.model->kernels->add(s->y + at, s->work.y, pass_span(&k->pass, k->d, 0, k->d / B2S6_LANES));
    }
}

/* A layer that reads in both directions, over all rows of the sequence, in place. */
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
        layer->block->mix(&k->pass, layer, s->y + done * k->d);
    }
    if (c->norm_place == NORM_POST)
        b2s6_layer_norm(whole(k), layer, s->x, s->x);
}

/* A causal layer among others that are not. */
static void one_direction(struct walk *k, uint32_t l)
{
    size_t done, n;

    forget(k);
    for (done = 0; done < k->n_steps; done += n) {
        n = next_chunk(k, done);
        b2s6_layer_pass(&k->pass, l);
    }
}

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
        if (m->layers[l].config.bidirectional)
            both_directions(&k, &m->layers[l]);
        else
            one_direction(&k, l);
    }
    b2s6_finish_pass(whole(&k), &ends);
    state->n_steps = n_steps;
    return B2S6_OK;
}
