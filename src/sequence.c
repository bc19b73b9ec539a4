#include "sequence.h"

#include "forward.h"
#include "kernels.h"

/* y = unit[direction] over the whole sequence, in chunks from the front or from the back, added to y if it is the second. */
static void unit_over_sequence(struct b2s6_state *state, uint32_t l, struct sequence *s, size_t n_steps, int direction)
{
    const struct b2s6_model *model = state->model;
    const struct unit *unit = &model->layers[l].unit[direction];
    float *x = b2s6_state_unit(state, 0);
    size_t done, n, at;

    memset(x, 0, model->state.unit_bytes);
    for (done = 0; done < n_steps; done += n) {
        n = n_steps - done < s->work.n_rows ? n_steps - done : s->work.n_rows;
        at = (direction ? n_steps - done - n : done) * s->work.d;
        if (!direction) {
            b2s6_unit_run(model, unit, &s->work, s->normed + at, s->y + at, x, n, 0);
        } else {
            b2s6_unit_run(model, unit, &s->work, s->normed + at, s->work.y, x, n, 1);
            model->kernels->add(s->y + at, s->work.y, n * s->work.d);
        }
    }
}

/* Layer l over all rows of s->x, in place. */
static void layer_over_sequence(struct b2s6_state *state, uint32_t l, struct sequence *s, size_t n_steps)
{
    const struct b2s6_model *model = state->model;
    const int post = model->config.norm_place == NORM_POST;
    const size_t d = s->work.d;
    size_t done, n;

    if (post)
        memcpy(s->normed, s->x, n_steps * d * sizeof *s->x);
    else
        b2s6_layer_norm(model, l, s->x, s->normed, n_steps);
    unit_over_sequence(state, l, s, n_steps, 0);
    unit_over_sequence(state, l, s, n_steps, 1);
    for (done = 0; done < n_steps; done += n) {
        n = n_steps - done < s->work.n_rows ? n_steps - done : s->work.n_rows;
        b2s6_s4_mix(model, l, &s->work, s->y + done * d, s->x + done * d, n);
    }
    if (post)
        b2s6_layer_norm(model, l, s->x, s->x, n_steps);
}

b2s6_status b2s6_sequence_run(struct b2s6_state *state, const int32_t *tokens, const float *features, size_t n_steps,
                              float *out, int last, int hidden, void *workspace, size_t workspace_size)
{
    const struct b2s6_model *model = state->model;
    const struct config *c = &model->config;
    struct sequence s;
    size_t done, n, need;
    uint32_t l;

    if (n_steps == 0)
        return B2S6_ERROR_ARGUMENT;
    need = b2s6_sequence_layout(&s, c, n_steps, NULL);
    if (!workspace || need == SIZE_MAX || workspace_size < need)
        return B2S6_ERROR_SIZE;
    b2s6_sequence_layout(&s, c, n_steps, workspace);
    b2s6_state_reset(state);
    for (done = 0; done < n_steps; done += n) {
        n = n_steps - done < s.work.n_rows ? n_steps - done : s.work.n_rows;
        b2s6_encode(model, &s.work, tokens ? tokens + done : NULL, features ? features + done * c->input_size : NULL,
                    s.x + done * s.work.d, n);
    }
    for (l = 0; l < c->n_layers; l++)
        layer_over_sequence(state, l, &s, n_steps);
    b2s6_finish(state, s.x, n_steps, out, last || c->pool != B2S6_POOL_NONE ? n_steps - 1 : 0, hidden);
    state->n_steps = n_steps;
    return B2S6_OK;
}
