/* Steps and runs: checks what the caller gives, then takes a causal stream through the model in chunks. */
#include "forward.h"
#include "memory.h"
#include "sequence.h"

static b2s6_status check_tokens(const struct b2s6_model *model, const int32_t *tokens, size_t n_steps)
{
    size_t i;

    if (model->config.input_kind != B2S6_TOKENS)
        return B2S6_ERROR_INPUT_KIND;
    for (i = 0; i < n_steps; i++)
        if (tokens[i] < 0 || (uint32_t)tokens[i] >= model->config.input_size)
            return B2S6_ERROR_TOKEN;
    return B2S6_OK;
}

static b2s6_status check_features(const struct b2s6_model *model, const float *features, size_t n_steps)
{
    size_t i, n = n_steps * model->config.input_size;

    if (model->config.input_kind != B2S6_FEATURES)
        return B2S6_ERROR_INPUT_KIND;
    for (i = 0; i < n; i++)
        if (!b2s6_is_finite(features[i]))
            return B2S6_ERROR_VALUE;
    return B2S6_OK;
}

/* Input that has been checked; one pointer is NULL. */
struct input {
    const int32_t *tokens;
    const float *features;
    size_t n_steps;
};

/* What is asked of a run, and where its rows go. */
struct output {
    float *out;
    int last, hidden;
};

/* The largest chunk that the workspace holds, in *w; one row in the state's own scratch if it holds none. */
static void find_work(struct work *w, struct b2s6_state *state, const b2s6_run_options *o, size_t n_steps)
{
    const struct config *c = &state->model->config;
    size_t rows = n_steps < CHUNK_ROWS ? n_steps : CHUNK_ROWS;

    while (o->workspace && rows > 1 && b2s6_work_layout(w, c, rows, NULL) > o->workspace_size)
        rows--;
    if (o->workspace && rows > 1)
        b2s6_work_layout(w, c, rows, o->workspace);
    else
        b2s6_work_layout(w, c, 1, (unsigned char *)state + state->model->state.work_at);
}

static void run_causal(struct b2s6_state *state, const struct input *in, const struct output *o, struct work *w)
{
    const struct config *c = &state->model->config;
    const size_t width = o->hidden ? c->d_model : config_output_size(c);
    size_t done, n, first;
    float *out = o->out;
    uint32_t l;

    for (done = 0; done < in->n_steps; done += n) {
        n = in->n_steps - done < w->n_rows ? in->n_steps - done : w->n_rows;
        b2s6_encode(state->model, w, in->tokens ? in->tokens + done : NULL,
                    in->features ? in->features + done * c->input_size : NULL, w->x, n);
        for (l = 0; l < c->n_layers; l++)
            b2s6_layer_run(state, l, w, n);
        first = !o->last ? 0 : done + n == in->n_steps ? n - 1 : n;
        b2s6_finish(state, w->x, n, out, first, o->hidden);
        if (out)
            out += (n - first) * width;
        state->n_steps += n;
    }
}

/* The options, or their defaults; a workspace that is there must be usable. */
static b2s6_status take_run_options(b2s6_run_options *known, const b2s6_run_options *given)
{
    const b2s6_run_options defaults = B2S6_RUN_OPTIONS;

    *known = defaults;
    if (!b2s6_take_options(known, sizeof *known, given) || known->flags & ~(B2S6_RUN_LAST | B2S6_RUN_HIDDEN))
        return B2S6_ERROR_ARGUMENT;
    if (known->workspace && !b2s6_is_aligned(known->workspace, B2S6_ALIGNMENT))
        return B2S6_ERROR_ALIGNMENT;
    if (!known->workspace && known->workspace_size)
        return B2S6_ERROR_ARGUMENT;
    return B2S6_OK;
}

static b2s6_status run(struct b2s6_state *state, const struct input *in, float *out, const b2s6_run_options *options)
{
    b2s6_run_options known;
    b2s6_status status = take_run_options(&known, options);
    struct output o;
    struct work w;

    if (status)
        return status;
    o.out = out;
    o.last = (known.flags & B2S6_RUN_LAST) != 0;
    o.hidden = (known.flags & B2S6_RUN_HIDDEN) != 0;
    if (state->model->config.bidirectional)
        return b2s6_sequence_run(state, in->tokens, in->features, in->n_steps, out, o.last, o.hidden, known.workspace,
                                 known.workspace_size);
    if (in->n_steps == 0)
        return B2S6_OK;
    find_work(&w, state, &known, in->n_steps);
    run_causal(state, in, &o, &w);
    return B2S6_OK;
}

b2s6_status b2s6_run_tokens(b2s6_state *state, const int32_t *tokens, size_t n_steps, float *out,
                            const b2s6_run_options *options)
{
    struct input in;
    b2s6_status status;

    if (!state || (!tokens && n_steps))
        return B2S6_ERROR_ARGUMENT;
    status = check_tokens(state->model, tokens, n_steps);
    if (status)
        return status;
    in.tokens = tokens;
    in.features = NULL;
    in.n_steps = n_steps;
    return run(state, &in, out, options);
}

b2s6_status b2s6_run_features(b2s6_state *state, const float *features, size_t n_steps, float *out,
                              const b2s6_run_options *options)
{
    struct input in;
    b2s6_status status;

    if (!state || (!features && n_steps))
        return B2S6_ERROR_ARGUMENT;
    if (n_steps > SIZE_MAX / sizeof(float) / state->model->config.input_size)
        return B2S6_ERROR_ARGUMENT;
    status = check_features(state->model, features, n_steps);
    if (status)
        return status;
    in.tokens = NULL;
    in.features = features;
    in.n_steps = n_steps;
    return run(state, &in, out, options);
}

b2s6_status b2s6_step_token(b2s6_state *state, int32_t token, float *out)
{
    if (state && state->model->config.input_kind == B2S6_TOKENS && state->model->config.bidirectional)
        return B2S6_ERROR_BIDIRECTIONAL;
    return b2s6_run_tokens(state, &token, 1, out, NULL);
}

b2s6_status b2s6_step_features(b2s6_state *state, const float *features, float *out)
{
    if (state && features && state->model->config.input_kind == B2S6_FEATURES && state->model->config.bidirectional)
        return B2S6_ERROR_BIDIRECTIONAL;
    return b2s6_run_features(state, features, 1, out, NULL);
}

size_t b2s6_workspace_size(const b2s6_model *model, size_t n_steps)
{
    struct sequence s;
    struct work w;

    if (!model || n_steps == 0)
        return 0;
    if (model->config.bidirectional)
        return b2s6_sequence_layout(&s, &model->config, n_steps, NULL);
    return b2s6_work_layout(&w, &model->config, n_steps < CHUNK_ROWS ? n_steps : CHUNK_ROWS, NULL);
}
