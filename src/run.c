/* Steps, runs and batches: checks what the caller gives, then takes the streams through the model in chunks of rows. */
#include "memory.h"
#include "pass.h"
#include "sequence.h"

/* More parts than this are a mistake, not a machine. */
#define MAX_TASKS 4096u

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
    size_t i, n;

    if (model->config.input_kind != B2S6_FEATURES)
        return B2S6_ERROR_INPUT_KIND;
    if (n_steps > SIZE_MAX / sizeof(float) / model->config.input_size)
        return B2S6_ERROR_ARGUMENT;
    n = n_steps * model->config.input_size;
    for (i = 0; i < n; i++)
        if (!b2s6_is_finite(features[i]))
            return B2S6_ERROR_VALUE;
    return B2S6_OK;
}

/* The options, or their defaults; a workspace or a parallel-for that is there must be usable. */
static b2s6_status take_run_options(b2s6_run_options *known, const b2s6_run_options *given, uint32_t flags)
{
    const b2s6_run_options defaults = B2S6_RUN_OPTIONS;

    *known = defaults;
    if (!b2s6_take_options(known, sizeof *known, given) || known->flags & ~flags)
        return B2S6_ERROR_ARGUMENT;
    if (known->workspace && !b2s6_is_aligned(known->workspace, B2S6_ALIGNMENT))
        return B2S6_ERROR_ALIGNMENT;
    if (!known->workspace && known->workspace_size)
        return B2S6_ERROR_ARGUMENT;
    if (known->parallel && (!known->parallel->run || known->parallel->n_tasks == 0 || known->parallel->n_tasks > MAX_TASKS))
        return B2S6_ERROR_ARGUMENT;
    return B2S6_OK;
}

/* The largest chunk that the workspace holds, in *w; one row in the state's own scratch if it holds none. */
static void find_work(struct work *w, struct b2s6_state *state, const b2s6_run_options *o, size_t n_rows)
{
    const struct b2s6_model *m = state->model;
    size_t rows = n_rows < CHUNK_ROWS ? n_rows : CHUNK_ROWS;

    while (o->workspace && rows > 1 && b2s6_work_layout(w, m, rows, NULL) > o->workspace_size)
        rows--;
    if (o->workspace && rows > 1)
        b2s6_work_layout(w, m, rows, o->workspace);
    else
        b2s6_work_layout(w, m, 1, (unsigned char *)state + m->state.work_at);
}

/* All rows of a pass from encoder to output; the streams are n_steps further afterwards. */
static void take_pass(const struct pass *p, const struct ends *e)
{
    uint32_t l;
    size_t i;

    b2s6_encode_pass(p, e, p->work->x);
    for (l = 0; l < p->model->config.n_layers; l++)
        b2s6_layer_pass(p, l);
    b2s6_finish_pass(p, e, p->work->x);
    for (i = 0; i < p->n_streams; i++)
        p->states[i]->n_steps += p->n_steps;
}

static size_t output_width(const struct b2s6_model *model, int hidden)
{
    return hidden ? model->config.d_model : config_output_size(&model->config);
}

/* Moves on by n_rows rows of input and n_out rows of output. */
static void advance(const struct b2s6_model *model, struct ends *e, size_t n_rows, size_t n_out)
{
    if (e->tokens)
        e->tokens += n_rows;
    else
        e->features += n_rows * model->config.input_size;
    if (e->out)
        e->out += n_out * output_width(model, e->hidden);
}

/* n_steps steps of one causal stream. */
static void run_causal(struct b2s6_state *state, struct ends *e, size_t n_steps, const b2s6_run_options *o)
{
    const int last = (o->flags & B2S6_RUN_LAST) != 0;
    struct work w;
    struct pass p;
    size_t left;

    find_work(&w, state, o, n_steps);
    p.model = state->model;
    p.states = &state;
    p.n_streams = 1;
    p.work = &w;
    p.parallel = o->parallel;
    for (left = n_steps; left; left -= p.n_steps) {
        p.n_steps = b2s6_work_chunk(&w, left);
        e->first_row = !last ? 0 : left == p.n_steps ? p.n_steps - 1 : p.n_steps;
        take_pass(&p, e);
        advance(p.model, e, p.n_steps, p.n_steps - e->first_row);
    }
}

/* Input that has been checked, in e, to a run of one stream. */
static b2s6_status run(struct b2s6_state *state, struct ends *e, size_t n_steps, const b2s6_run_options *options)
{
    b2s6_run_options o;
    b2s6_status status = take_run_options(&o, options, B2S6_RUN_LAST | B2S6_RUN_HIDDEN);

    if (status)
        return status;
    e->hidden = (o.flags & B2S6_RUN_HIDDEN) != 0;
    if (config_is_bidirectional(&state->model->config))
        return b2s6_sequence_run(state, e, n_steps, &o);
    if (n_steps)
        run_causal(state, e, n_steps, &o);
    return B2S6_OK;
}

b2s6_status b2s6_run_tokens(b2s6_state *state, const int32_t *tokens, size_t n_steps, float *out,
                            const b2s6_run_options *options)
{
    struct ends e = { tokens, NULL, out, 0, 0 };
    b2s6_status status;

    if (!state || (!tokens && n_steps))
        return B2S6_ERROR_ARGUMENT;
    status = check_tokens(state->model, tokens, n_steps);
    return status ? status : run(state, &e, n_steps, options);
}

b2s6_status b2s6_run_features(b2s6_state *state, const float *features, size_t n_steps, float *out,
                              const b2s6_run_options *options)
{
    struct ends e = { NULL, features, out, 0, 0 };
    b2s6_status status;

    if (!state || (!features && n_steps))
        return B2S6_ERROR_ARGUMENT;
    status = check_features(state->model, features, n_steps);
    return status ? status : run(state, &e, n_steps, options);
}

b2s6_status b2s6_step_token(b2s6_state *state, int32_t token, float *out)
{
    if (state && state->model->config.input_kind == B2S6_TOKENS && config_is_bidirectional(&state->model->config))
        return B2S6_ERROR_BIDIRECTIONAL;
    return b2s6_run_tokens(state, &token, 1, out, NULL);
}

b2s6_status b2s6_step_features(b2s6_state *state, const float *features, float *out)
{
    if (state && features && state->model->config.input_kind == B2S6_FEATURES && config_is_bidirectional(&state->model->config))
        return B2S6_ERROR_BIDIRECTIONAL;
    return b2s6_run_features(state, features, 1, out, NULL);
}

/*
 * The streams of a batch: all of one causal model, each only once. A repeated one is found without sorting: every state is
 * marked with its place, and a state that stands twice no longer bears the first.
 */
static b2s6_status check_batch(b2s6_state *const *states, size_t n_states)
{
    size_t i;

    for (i = 0; i < n_states; i++) {
        if (!states[i])
            return B2S6_ERROR_ARGUMENT;
        if (states[i]->model != states[0]->model)
            return B2S6_ERROR_MODEL;
        states[i]->mark = i;
    }
    for (i = 0; i < n_states; i++)
        if (states[i]->mark != i)
            return B2S6_ERROR_ARGUMENT;
    return config_is_bidirectional(&states[0]->model->config) ? B2S6_ERROR_BIDIRECTIONAL : B2S6_OK;
}

static b2s6_status run_batch(b2s6_state *const *states, size_t n_states, struct ends e, const b2s6_run_options *options)
{
    b2s6_run_options o;
    b2s6_status status = take_run_options(&o, options, B2S6_RUN_HIDDEN);
    struct work w;
    struct pass p;
    size_t done;

    if (status)
        return status;
    e.hidden = (o.flags & B2S6_RUN_HIDDEN) != 0;
    p.model = states[0]->model;
    p.n_steps = 1;
    p.work = &w;
    p.parallel = o.parallel;
    find_work(&w, states[0], &o, n_states);
    for (done = 0; done < n_states; done += p.n_streams) {
        p.states = states + done;
        p.n_streams = b2s6_work_chunk(&w, n_states - done);
        take_pass(&p, &e);
        advance(p.model, &e, p.n_streams, p.n_streams);
    }
    return B2S6_OK;
}

b2s6_status b2s6_batch_tokens(b2s6_state *const *states, size_t n_states, const int32_t *tokens, float *out,
                              const b2s6_run_options *options)
{
    struct ends e = { tokens, NULL, out, 0, 0 };
    b2s6_status status;

    if (!states || !tokens || n_states == 0)
        return B2S6_ERROR_ARGUMENT;
    status = check_batch(states, n_states);
    if (!status)
        status = check_tokens(states[0]->model, tokens, n_states);
    return status ? status : run_batch(states, n_states, e, options);
}

b2s6_status b2s6_batch_features(b2s6_state *const *states, size_t n_states, const float *features, float *out,
                                const b2s6_run_options *options)
{
    struct ends e = { NULL, features, out, 0, 0 };
    b2s6_status status;

    if (!states || !features || n_states == 0)
        return B2S6_ERROR_ARGUMENT;
    status = check_batch(states, n_states);
    if (!status)
        status = check_features(states[0]->model, features, n_states);
    return status ? status : run_batch(states, n_states, e, options);
}

size_t b2s6_workspace_size(const b2s6_model *model, size_t n_steps)
{
    struct sequence s;
    struct work w;

    if (!model || n_steps == 0)
        return 0;
    if (config_is_bidirectional(&model->config))
        return b2s6_sequence_layout(&s, model, n_steps, NULL);
    return b2s6_work_layout(&w, model, n_steps < CHUNK_ROWS ? n_steps : CHUNK_ROWS, NULL);
}
