/* Steps, runs and batches: checks what the caller gives, then takes the streams through the model in chunks of rows. */
#include "bidirectional.h"
#include "layer.h"
#include "memory.h"

/* More parts than this are a mistake, not a machine. */
#define MAX_TASKS 4096u

/* What a call is given, beside the streams. One of tokens and features is NULL, and features may be. */
struct call {
    const int32_t *tokens;
    const float *features;
    size_t n_features;
    size_t n_rows;            /* of input */
    float *out;
    size_t out_size;
    b2s6_run_options options;
};

static b2s6_status check_tokens(const struct b2s6_model *model, const int32_t *tokens, size_t n_rows)
{
    size_t i;

    for (i = 0; i < n_rows; i++)
        if (tokens[i] < 0 || (uint32_t)tokens[i] >= model->config.input_size)
            return B2S6_ERROR_TOKEN;
    return B2S6_OK;
}

static b2s6_status check_features(const struct b2s6_model *model, const float *features, size_t n_rows)
{
    size_t i, n;

    if (n_rows > SIZE_MAX / sizeof(float) / model->config.input_size)
        return B2S6_ERROR_ARGUMENT;
    n = n_rows * model->config.input_size;
    for (i = 0; i < n; i++)
        if (!b2s6_is_finite(features[i]))
            return B2S6_ERROR_VALUE;
    return B2S6_OK;
}

static size_t output_width(const struct b2s6_model *model, int hidden)
{
    return hidden ? model->config.d_model : config_output_size(&model->config);
}

/* Rows that a call puts out. */
static size_t output_rows(const struct b2s6_model *model, const struct call *c)
{
    if (c->options.flags & B2S6_RUN_LAST || (model_is_bidirectional(model) && model->config.pool != B2S6_POOL_NONE))
        return c->n_rows < 1 ? 0 : 1;
    return c->n_rows;
}

/* Input of the model's kind and width, room for the output, then the values themselves. */
static b2s6_status check_ends(const struct b2s6_model *model, const struct call *c, int is_tokens)
{
    const size_t width = output_width(model, (c->options.flags & B2S6_RUN_HIDDEN) != 0);

    if ((model->config.input_kind == B2S6_TOKENS) != is_tokens)
        return B2S6_ERROR_INPUT_KIND;
    if (!is_tokens && c->n_features != model->config.input_size)
        return B2S6_ERROR_INPUT_KIND;
    if (c->out && c->out_size / width < output_rows(model, c))
        return B2S6_ERROR_SIZE;
    return is_tokens ? check_tokens(model, c->tokens, c->n_rows) : check_features(model, c->features, c->n_rows);
}

/* The options, or their defaults; a workspace, a parallel-for or an observer that is there must be usable. */
static b2s6_status take_run_options(b2s6_run_options *known, const b2s6_run_options *given, uint32_t flags)
{
    const b2s6_run_options defaults = B2S6_RUN_OPTIONS;

    *known = defaults;
    if (!b2s6_take_options(known, sizeof *known, offsetof(b2s6_run_options, workspace), given) || known->flags & ~flags)
        return B2S6_ERROR_ARGUMENT;
    if (known->workspace && !b2s6_is_aligned(known->workspace, B2S6_ALIGNMENT))
        return B2S6_ERROR_ALIGNMENT;
    if (!known->workspace && known->workspace_size)
        return B2S6_ERROR_ARGUMENT;
    if (known->parallel && (!known->parallel->run || known->parallel->n_tasks == 0 || known->parallel->n_tasks > MAX_TASKS))
        return B2S6_ERROR_ARGUMENT;
    if (known->observer && !known->observer->see)
        return B2S6_ERROR_ARGUMENT;
    return B2S6_OK;
}

/* Whether a workspace of size bytes holds this many rows; SIZE_MAX is what no machine has, not a size. */
static int holds(const struct b2s6_model *m, size_t rows, size_t size)
{
    struct workspace w;
    const size_t need = b2s6_workspace_layout(&w, m, rows, NULL);

    return need != SIZE_MAX && need <= size;
}

/* The largest chunk that the workspace holds, in *w; one row in the state's own scratch if it holds none. */
static void find_workspace(struct workspace *w, struct b2s6_state *state, const b2s6_run_options *o, size_t n_rows)
{
    const struct b2s6_model *m = state->model;
    size_t rows = n_rows < CHUNK_ROWS ? n_rows : CHUNK_ROWS;

    while (o->workspace && rows > 1 && !holds(m, rows, o->workspace_size))
        rows--;
    if (o->workspace && rows > 1)
        b2s6_workspace_layout(w, m, rows, o->workspace);
    else
        b2s6_workspace_layout(w, m, 1, (unsigned char *)state + m->state.work_at);
}

/* All rows of a pass from encoder to output; the streams are n_steps further afterwards. */
static void take_pass(const struct pass *p, const struct stream_ends *e)
{
    uint32_t l;
    size_t i;

    b2s6_encode_pass(p, e);
    for (l = 0; l < p->model->config.n_layers; l++)
        b2s6_layer_pass(p, l);
    b2s6_finish_pass(p, e);
    for (i = 0; i < p->n_streams; i++)
        p->states[i]->n_steps += p->n_steps;
}

/* Moves on by n_rows rows of input and n_out rows of output. */
static void advance(const struct b2s6_model *model, struct stream_ends *e, size_t n_rows, size_t n_out)
{
    if (e->tokens)
        e->tokens += n_rows;
    else
        e->features += n_rows * model->config.input_size;
    if (e->out)
        e->out += n_out * output_width(model, e->hidden);
}

static void begin_pass(struct pass *p, const struct b2s6_model *m, struct workspace *w, const b2s6_run_options *o)
{
    p->model = m;
    p->x = w->x;
    p->work = w;
    p->parallel = o->parallel;
    p->observer = o->observer;
}

/* n_steps steps of one causal stream. */
static void run_causal(struct b2s6_state *state, struct stream_ends *e, const struct call *c)
{
    const int last = (c->options.flags & B2S6_RUN_LAST) != 0;
    struct workspace w;
    struct pass p;
    size_t left;

    find_workspace(&w, state, &c->options, c->n_rows);
    begin_pass(&p, state->model, &w, &c->options);
    p.states = &state;
    p.n_streams = 1;
    for (left = c->n_rows; left; left -= p.n_steps) {
        p.n_steps = b2s6_chunk_rows(&w, left);
        e->first_row = !last ? 0 : left == p.n_steps ? p.n_steps - 1 : p.n_steps;
        take_pass(&p, e);
        advance(p.model, e, p.n_steps, p.n_steps - e->first_row);
    }
}

static struct stream_ends ends_of(const struct call *c)
{
    struct stream_ends e;

    e.tokens = c->tokens;
    e.features = c->features;
    e.out = c->out;
    e.first_row = 0;
    e.hidden = (c->options.flags & B2S6_RUN_HIDDEN) != 0;
    return e;
}

/* A run of one stream. The pointers that no model can do without have been checked. */
static b2s6_status run(struct b2s6_state *state, struct call *c, int is_tokens, const b2s6_run_options *options)
{
    b2s6_status status = take_run_options(&c->options, options, B2S6_RUN_LAST | B2S6_RUN_HIDDEN);
    struct stream_ends e;

    if (!status)
        status = check_ends(state->model, c, is_tokens);
    if (status)
        return status;
    e = ends_of(c);
    if (model_is_bidirectional(state->model)) {
        if (c->n_rows == 0)
            return B2S6_ERROR_ARGUMENT;
        e.first_row = c->n_rows - output_rows(state->model, c);
        return b2s6_sequence_run(state, &e, c->n_rows, &c->options);
    }
    if (c->n_rows)
        run_causal(state, &e, c);
    return B2S6_OK;
}

b2s6_status b2s6_run_tokens(b2s6_state *state, const int32_t *tokens, size_t n_steps, float *out, size_t out_size,
                            const b2s6_run_options *options)
{
    struct call c;

    if (!state || (!tokens && n_steps))
        return B2S6_ERROR_ARGUMENT;
    memset(&c, 0, sizeof c);
    c.tokens = tokens;
    c.n_rows = n_steps;
    c.out = out;
    c.out_size = out_size;
    return run(state, &c, 1, options);
}

b2s6_status b2s6_run_features(b2s6_state *state, const float *features, size_t n_features, size_t n_steps, float *out,
                              size_t out_size, const b2s6_run_options *options)
{
    struct call c;

    if (!state || (!features && n_steps))
        return B2S6_ERROR_ARGUMENT;
    memset(&c, 0, sizeof c);
    c.features = features;
    c.n_features = n_features;
    c.n_rows = n_steps;
    c.out = out;
    c.out_size = out_size;
    return run(state, &c, 0, options);
}

b2s6_status b2s6_step_token(b2s6_state *state, int32_t token, float *out, size_t out_size)
{
    if (state && state->model->config.input_kind == B2S6_TOKENS && model_is_bidirectional(state->model))
        return B2S6_ERROR_BIDIRECTIONAL;
    return b2s6_run_tokens(state, &token, 1, out, out_size, NULL);
}

b2s6_status b2s6_step_features(b2s6_state *state, const float *features, size_t n_features, float *out, size_t out_size)
{
    if (state && features && state->model->config.input_kind == B2S6_FEATURES && model_is_bidirectional(state->model))
        return B2S6_ERROR_BIDIRECTIONAL;
    return b2s6_run_features(state, features, n_features, 1, out, out_size, NULL);
}

/*
 * The streams of a batch: all of one causal model, each only once. A repeated one is found without sorting: every state is
 * marked with its place, and a state that is there twice no longer bears the first.
 */
static b2s6_status check_streams(b2s6_state *const *states, size_t n_states)
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
    return model_is_bidirectional(states[0]->model) ? B2S6_ERROR_BIDIRECTIONAL : B2S6_OK;
}

/* One step of every stream, in chunks of as many streams as the workspace has rows. */
static b2s6_status run_batch(b2s6_state *const *states, struct call *c, int is_tokens, const b2s6_run_options *options)
{
    b2s6_status status = check_streams(states, c->n_rows);
    struct stream_ends e;
    struct workspace w;
    struct pass p;
    size_t done;

    if (!status)
        status = take_run_options(&c->options, options, B2S6_RUN_HIDDEN);
    if (!status)
        status = check_ends(states[0]->model, c, is_tokens);
    if (status)
        return status;
    e = ends_of(c);
    find_workspace(&w, states[0], &c->options, c->n_rows);
    begin_pass(&p, states[0]->model, &w, &c->options);
    p.n_steps = 1;
    for (done = 0; done < c->n_rows; done += p.n_streams) {
        p.states = states + done;
        p.n_streams = b2s6_chunk_rows(&w, c->n_rows - done);
        take_pass(&p, &e);
        advance(p.model, &e, p.n_streams, p.n_streams);
    }
    return B2S6_OK;
}

b2s6_status b2s6_batch_tokens(b2s6_state *const *states, size_t n_states, const int32_t *tokens, float *out, size_t out_size,
                              const b2s6_run_options *options)
{
    struct call c;

    if (!states || !tokens || n_states == 0)
        return B2S6_ERROR_ARGUMENT;
    memset(&c, 0, sizeof c);
    c.tokens = tokens;
    c.n_rows = n_states;
    c.out = out;
    c.out_size = out_size;
    return run_batch(states, &c, 1, options);
}

b2s6_status b2s6_batch_features(b2s6_state *const *states, size_t n_states, const float *features, size_t n_features, float *out,
                                size_t out_size, const b2s6_run_options *options)
{
    struct call c;

    if (!states || !features || n_states == 0)
        return B2S6_ERROR_ARGUMENT;
    memset(&c, 0, sizeof c);
    c.features = features;
    c.n_features = n_features;
    c.n_rows = n_states;
    c.out = out;
    c.out_size = out_size;
    return run_batch(states, &c, 0, options);
}

size_t b2s6_workspace_size(const b2s6_model *model, size_t n_steps)
{
    struct sequence s;
    struct workspace w;

    if (!model || n_steps == 0)
        return 0;
    if (model_is_bidirectional(model))
        return b2s6_sequence_layout(&s, model, n_steps, NULL);
    return b2s6_workspace_layout(&w, model, n_steps < CHUNK_ROWS ? n_steps : CHUNK_ROWS, NULL);
}
