#include "sequence.h"

/* A sequence under way. The pass is of one stream; its number of steps is that of the chunk in hand. */
struct walk {
    struct pass pass;
    struct sequence at;
    size_t n_steps;
};

/* Takes the next chunk into the pass: as many of the steps that are left as the work has rows. */
static size_t next_chunk(struct walk *k, size_t left)
{
    k->pass.n_steps = left < k->at.work.n_rows ? left : k->at.work.n_rows;
    return k->pass.n_steps;
}

/* The same for what needs no work rows: all steps at once. */
static const struct pass *whole(struct walk *k)
{
    k->pass.n_steps = k->n_steps;
    return &k->pass;
}

/* y = the unit that reads in this direction, over the whole sequence in chunks; the second direction is added to the first. */
static void unit_over_sequence(struct walk *k, uint32_t l, int backwards)
{
    const struct b2s6_model *model = k->pass.model;
    struct sequence *s = &k->at;
    size_t done, n, at;
    struct unit_pass u;
    struct span span;

    memset(&u, 0, sizeof u);
    u.unit = &model->layers[l].unit[backwards];
    u.backwards = backwards;
    memset(b2s6_state_unit(k->pass.states[0], 0), 0, model->state.unit_bytes);
    for (done = 0; done < k->n_steps; done += n) {
        n = next_chunk(k, k->n_steps - done);
        at = (backwards ? k->n_steps - done - n : done) * s->work.d;
        u.u = s->normed + at;
        u.y = backwards ? s->work.y : s->y + at;
        b2s6_unit_pass(&k->pass, &u);
        span = pass_span(&k->pass, s->work.d, 0, s->work.d / B2S6_LANES);
        if (backwards)
            model->kernels->add(s->y + at, s->work.y, span);
    }
}

/* Layer l over all rows of the sequence, in place. */
static void layer_over_sequence(struct walk *k, uint32_t l)
{
    const struct config *c = &k->pass.model->config;
    const size_t d = k->at.work.d;
    struct sequence *s = &k->at;
    size_t done, n;

    if (c->norm_place == NORM_POST)
        memcpy(s->normed, s->x, k->n_steps * d * sizeof *s->x);
    else
        b2s6_norm_pass(whole(k), l, s->x, s->normed);
    unit_over_sequence(k, l, 0);
    unit_over_sequence(k, l, 1);
    k->pass.model->kernels->gelu(s->y, pass_span(whole(k), d, 0, d / B2S6_LANES));
    for (done = 0; done < k->n_steps; done += n) {
        n = next_chunk(k, k->n_steps - done);
        b2s6_s4_mix_pass(&k->pass, l, s->y + done * d, s->x + done * d);
    }
    if (c->norm_place == NORM_POST)
        b2s6_norm_pass(whole(k), l, s->x, s->x);
}

static void encode_sequence(struct walk *k, struct ends e)
{
    size_t done, n;

    for (done = 0; done < k->n_steps; done += n) {
        n = next_chunk(k, k->n_steps - done);
        b2s6_encode_pass(&k->pass, &e, k->at.x + done * k->at.work.d);
        e.tokens = e.tokens ? e.tokens + n : NULL;
        e.features = e.features ? e.features + n * k->pass.model->config.input_size : NULL;
    }
}

b2s6_status b2s6_sequence_run(struct b2s6_state *state, const struct ends *e, size_t n_steps, const b2s6_run_options *o)
{
    const struct config *c = &state->model->config;
    struct ends ends = *e;
    struct walk k;
    size_t need;
    uint32_t l;

    if (n_steps == 0)
        return B2S6_ERROR_ARGUMENT;
    need = b2s6_sequence_layout(&k.at, state->model, n_steps, NULL);
    if (!o->workspace || need == SIZE_MAX || o->workspace_size < need)
        return B2S6_ERROR_SIZE;
    b2s6_sequence_layout(&k.at, state->model, n_steps, o->workspace);
    b2s6_state_reset(state);
    k.pass.model = state->model;
    k.pass.states = &state;
    k.pass.n_streams = 1;
    k.pass.work = &k.at.work;
    k.pass.parallel = o->parallel;
    k.n_steps = n_steps;
    encode_sequence(&k, ends);
    for (l = 0; l < c->n_layers; l++)
        layer_over_sequence(&k, l);
    ends.first_row = (o->flags & B2S6_RUN_LAST) || c->pool != B2S6_POOL_NONE ? n_steps - 1 : 0;
    b2s6_finish_pass(whole(&k), &ends, k.at.x);
    state->n_steps = n_steps;
    return B2S6_OK;
}
