/*
 * The public steps, runs and batches. A call goes through three stages: the options are copied and checked; the shape
 * and the values of the input and the room for the output are checked; then the rows go through the model in chunks.
 * The first two stages change nothing, the third cannot fail. So a call either fails with everything as it was, or
 * does all of its work.
 *
 * A chunk is a pass (pass.h): rows that go through all layers together before the next rows begin. A run takes many
 * steps of one stream in a pass, a batch takes one step of many streams in a pass, a single step is a run of length
 * one. Nothing below this file knows which of them it serves, and how rows are grouped changes no bit of a result
 * (docs/arithmetic.md).
 *
 *     run:    rows t, t + 1, ...   of one state        batch:    row 0 of states s, s + 1, ...
 *
 * Whole sequences of bidirectional models take another way, layer by layer: bidirectional.c.
 */
#include "bidirectional.h"
#include "layer.h"
#include "memory.h"

/*
 * As b2s6.h says of n_tasks: more parts than this are a mistake, not a machine. It also bounds the loop of parts_of
 * (pass.c).
 */
#define MAX_TASKS 4096u

/*
 * What a call is given, beside the streams. Of tokens and features only the one of the model's kind is read; both may
 * be NULL when there are no rows.
 */
struct call {
    const int32_t *tokens;    /* (n_rows) */
    const float *features;    /* (n_rows, n_features) */
    size_t n_features;
    size_t n_rows;            /* of input: steps of a run, streams of a batch */
    float *out;               /* (output rows, output width), or NULL: streams move on and the head is not computed */
    size_t out_size;          /* floats that fit into out */
    b2s6_run_options options;
};

/*
 * Every token must be a row of the embedding, which is then read without a check. Tokens are signed in the interface,
 * so that a host's -1 for "none" is refused here and not taken for a large number.
 */
static b2s6_status check_tokens(const struct b2s6_model *model, const int32_t *tokens, size_t n_rows)
{
    size_t i;

    for (i = 0; i < n_rows; i++)
        if (tokens[i] < 0 || (uint32_t)tokens[i] >= model->config.input_size)
            return B2S6_ERROR_TOKEN;
    return B2S6_OK;
}

/*
 * Every feature must be finite: a NaN or an infinity would stay in the states for ever, long after the sensor has
 * recovered. The check comes before the first step, since half of a run cannot be taken back.
 *
 * The first test is for a count of rows that no memory can hold; without it n could wrap to a small number and the
 * rest of the input go unchecked. input_size is at least 1 (config.c).
 */
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

/* Floats of an output row. At least 1: d_model and a head's size are, where there is one. */
static size_t output_width(const struct b2s6_model *model, int hidden)
{
    return hidden ? model->config.d_model : config_output_size(&model->config);
}

/*
 * Rows that a call puts out: one for each row of input, or a single one where only the last is asked for. A
 * bidirectional model with pooling has one answer for the sequence, whatever the flags say.
 */
static size_t output_rows(const struct b2s6_model *model, const struct call *c)
{
    if (c->options.flags & B2S6_RUN_LAST || (model_is_bidirectional(model) && model->config.pool != B2S6_POOL_NONE))
        return c->n_rows < 1 ? 0 : 1;
    return c->n_rows;
}

/*
 * Input of the model's kind and width, room for the output, then the values themselves: they come last because their
 * number is only known to be right after the first two tests, and because reading them is what takes time.
 */
static b2s6_status check_ends(const struct b2s6_model *model, const struct call *c, int is_tokens)
{
    const size_t width = output_width(model, (c->options.flags & B2S6_RUN_HIDDEN) != 0);

    if ((model->config.input_kind == B2S6_TOKENS) != is_tokens)
        return B2S6_ERROR_INPUT_KIND;
    if (!is_tokens && c->n_features != model->config.input_size)
        return B2S6_ERROR_INPUT_KIND;
    /* divided, not multiplied: rows times width could wrap */
    if (c->out && c->out_size / width < output_rows(model, c))
        return B2S6_ERROR_SIZE;
    return is_tokens ? check_tokens(model, c->tokens, c->n_rows) : check_features(model, c->features, c->n_rows);
}

/*
 * The options into *known, or their defaults. `flags` are the ones that the kind of call knows: a batch has one row a
 * stream, so that LAST says nothing there and is refused rather than ignored. A workspace, a parallel-for or an
 * observer that is there must be usable. A size without a workspace is refused too: somebody forgot a pointer, and
 * would otherwise wonder why runs are slow.
 */
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
    /* without a function neither would do anything */
    if (known->observer && !known->observer->see)
        return B2S6_ERROR_ARGUMENT;
    return B2S6_OK;
}

/*
 * Whether a workspace of size bytes holds this many rows. b2s6_workspace_layout says SIZE_MAX for "more than this
 * machine can address", which a host may have given as its size: it must not count as enough.
 */
static int holds(const struct b2s6_model *m, size_t rows, size_t size)
{
    struct workspace w;
    /* NULL: measured, not placed */
    const size_t need = b2s6_workspace_layout(&w, m, rows, NULL);

    return need != SIZE_MAX && need <= size;
}

/*
 * The largest chunk that the workspace holds, placed in *w. Any size of workspace is allowed, too small a one as well:
 * every state brings scratch for one row, so that a stream can always be stepped without memory from the host. Rows
 * are tried from the most downwards, at most CHUNK_ROWS times a dozen additions: the size is not quite linear in rows
 * (packed tiles come in whole tiles), and a formula that inverts it would be a second place that knows the layout.
 *
 * n_rows is at least 1. A batch without a workspace uses the first state's scratch for all its streams, one at a time:
 * scratch is no part of a stream, and the caller has given all these states to this call.
 */
static void find_workspace(struct workspace *w, struct b2s6_state *state, const b2s6_run_options *o, size_t n_rows)
{
    const struct b2s6_model *m = state->model;
    size_t rows = n_rows < CHUNK_ROWS ? n_rows : CHUNK_ROWS;

    /* b2s6_run_options promises that any size will do, so what is too small is not an error */
    while (o->workspace && rows > 1 && !holds(m, rows, o->workspace_size))
        rows--;
    if (o->workspace && rows > 1)
        b2s6_workspace_layout(w, m, rows, o->workspace);
    else
        b2s6_workspace_layout(w, m, 1, (unsigned char *)state + m->state.work_at);
}

/*
 * All rows of a pass from encoder to output: the model as a whole, in the order of docs/arithmetic.md.
 * Steps are counted last, since pooling divides by the number of steps before the pass plus the row's own
 * place in it. Nothing here can fail: the file was checked when it was opened, the call before its first
 * step.
 */
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

/*
 * Moves the ends on by n_rows rows of input and n_out rows of output. One past the last row is a valid pointer; it is
 * not read.
 */
static void advance(const struct b2s6_model *model, struct stream_ends *e, size_t n_rows, size_t n_out)
{
    if (e->tokens)
        e->tokens += n_rows;
    else
        e->features += n_rows * model->config.input_size;
    if (e->out)
        e->out += n_out * output_width(model, e->hidden);
}

/* What is the same for all passes of a call. The rows of activations always begin at the workspace's x. */
static void begin_pass(struct pass *p, const struct b2s6_model *m, struct workspace *w, const b2s6_run_options *o)
{
    p->model = m;
    p->x = w->x;
    p->work = w;
    p->parallel = o->parallel;
    p->observer = o->observer;
}

/*
 * All steps of one causal stream, at least one, chunk by chunk. b2s6_chunk_rows gives at least one row and
 * at most those that are left, so the loop ends. Between chunks nothing is carried but the states: a
 * stream that is cut anywhere, by this loop or by the host, gives the same bits.
 *
 * With B2S6_RUN_LAST, first_row says that a pass puts out no row (it equals n_steps), or in the last pass
 * one: norm and head of the others are not computed. 300 steps in a workspace of 132 rows:
 *
 *     pass        1       2       3
 *     n_steps     108     96      96
 *     first_row   108     96      95
 */
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
    /* left: rows that no pass has taken yet */
    for (left = c->n_rows; left; left -= p.n_steps) {
        p.n_steps = b2s6_chunk_rows(&w, left);
        /* LAST: of the last pass its last row, of every other pass none */
        e->first_row = !last ? 0 : left == p.n_steps ? p.n_steps - 1 : p.n_steps;
        take_pass(&p, e);
        advance(p.model, e, p.n_steps, p.n_steps - e->first_row);
    }
}

/* The ends at the beginning of a call: all rows are put out. Callers that want less set first_row. */
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

/*
 * A run of one stream. The pointers that no model can do without have been checked. Of a bidirectional model a run is
 * a sequence, and an empty sequence has no answer; a causal stream simply stays where it is.
 */
static b2s6_status run(struct b2s6_state *state, struct call *c, int is_tokens, const b2s6_run_options *options)
{
    b2s6_status status = take_run_options(&c->options, options, B2S6_RUN_LAST | B2S6_RUN_HIDDEN);
    struct stream_ends e;

    if (!status)
        /* options first: they say how many rows are put out, for which there must be room */
        status = check_ends(state->model, c, is_tokens);
    if (status)
        return status;
    e = ends_of(c);
    /* the workspace's size is the one thing that is still unchecked here, since it depends on n_rows */
    if (model_is_bidirectional(state->model)) {
        if (c->n_rows == 0)
            return B2S6_ERROR_ARGUMENT;
        /* all rows, or from the last one on */
        e.first_row = c->n_rows - output_rows(state->model, c);
        return b2s6_sequence_run(state, &e, c->n_rows, &c->options);
    }
    /* no rows: the pointers may be NULL, and the stream is where it was */
    if (c->n_rows)
        run_causal(state, &e, c);
    return B2S6_OK;
}

/*
 * A NULL for the input is allowed with no rows, as an empty array of the host's may have it. The call is zeroed so
 * that the kind of input that is not given is NULL: stream_ends tells tokens from features by that.
 */
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

/*
 * As b2s6_run_tokens, of features. Their width is given by the caller, so that features of another model's
 * width are found (INPUT_KIND) rather than read as if they were rows of this one's.
 */
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

/*
 * A step is a run of one row without options, in the state's own scratch. Only the error of a bidirectional model
 * differs: a run of it would succeed, and start a new sequence with every call, which nobody means who steps. The kind
 * of input is looked at first, so that the wrong function for the model is reported as such.
 */
b2s6_status b2s6_step_token(b2s6_state *state, int32_t token, float *out, size_t out_size)
{
    if (state && state->model->config.input_kind == B2S6_TOKENS && model_is_bidirectional(state->model))
        return B2S6_ERROR_BIDIRECTIONAL;
    return b2s6_run_tokens(state, &token, 1, out, out_size, NULL);
}

/*
 * As b2s6_step_token. A NULL is left to the run to refuse. features may be out's memory: encoding reads
 * them into the scratch before anything is written.
 */
b2s6_status b2s6_step_features(b2s6_state *state, const float *features, size_t n_features, float *out, size_t out_size)
{
    if (state && features && state->model->config.input_kind == B2S6_FEATURES && model_is_bidirectional(state->model))
        return B2S6_ERROR_BIDIRECTIONAL;
    return b2s6_run_features(state, features, n_features, 1, out, out_size, NULL);
}

/*
 * The streams of a batch: all of one causal model, each only once, for two rows of one stream in one pass would both
 * start from its old state. A repeated one is found without sorting and without memory: every state is marked with its
 * place, and a state that is there twice no longer bears the first. mark has no other use, so a refused batch leaves
 * nothing that counts. n_states is at least 1.
 */
static b2s6_status check_streams(b2s6_state *const *states, size_t n_states)
{
    size_t i;

    for (i = 0; i < n_states; i++) {
        if (!states[i])
            return B2S6_ERROR_ARGUMENT;
        if (states[i]->model != states[0]->model)
            return B2S6_ERROR_MODEL;
        /* not before the two tests: a NULL or a state of another model is not written to */
        states[i]->mark = i;
    }
    for (i = 0; i < n_states; i++)
        if (states[i]->mark != i)
            return B2S6_ERROR_ARGUMENT;
    return model_is_bidirectional(states[0]->model) ? B2S6_ERROR_BIDIRECTIONAL : B2S6_OK;
}

/*
 * One step of every stream, in chunks of as many streams as the workspace has rows. That reads each weight
 * once for a whole chunk: a single step is bound by reading weights, so many streams cost hardly more than
 * one until arithmetic is the limit.
 *
 * All streams are checked before any moves, so a batch is either taken whole or not at all. The first
 * state stands for all where only the model is asked for, and lends its scratch where the host gives no
 * workspace.
 */
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
        /* the next streams; `done` counts those that have moved */
        p.states = states + done;
        p.n_streams = b2s6_chunk_rows(&w, c->n_rows - done);
        take_pass(&p, &e);
        advance(p.model, &e, p.n_streams, p.n_streams);
    }
    return B2S6_OK;
}

/*
 * Tokens and output rows are in the order of the states. No stream at all is an error here, since there is
 * no model to check anything against.
 */
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

/* As b2s6_batch_tokens, with a row of features for each state. */
b2s6_status b2s6_batch_features(b2s6_state *const *states, size_t n_states, const float *features, size_t n_features,
                                float *out, size_t out_size, const b2s6_run_options *options)
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

/*
 * The size at which more would not be faster: a chunk of CHUNK_ROWS rows, however long the run. The layouts are made
 * for their size only and thrown away.
 */
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
