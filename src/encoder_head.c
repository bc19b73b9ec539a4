/*
 * Both ends of a model: the encoder before the layers; norm, pooling and head after them.
 *
 *     token    -> row of the embedding       \                                                      / head: W x + bias
 *                                              x -> layers -> x -> final norm -> mean of all rows  <
 *     features -> flush -> W features + bias /                    (of some rows)  (if it pools)     \ hidden rows as they are
 *
 * Here the host's arrays are met: input rows without padding, of the host's alignment, and output rows to
 * which not a float beyond their width may be written. Everything between is in padded rows of the
 * workspace. The input has been checked, so nothing here fails.
 */
#include "encoder_head.h"

#include "portable/convert.h"

/*
 * The row of the embedding for a token, as floats in x (pad16(cols)). The token has been checked. Padding
 * becomes zero: what comes after works on whole groups of 16 and reads it.
 */
static void look_up(const struct matrix *embedding, int32_t token, float *x)
{
    uint32_t i;

    /* of any type; integers and halves become floats exactly */
    b2s6_weights_row(embedding->data, embedding->type, embedding->cols, (uint32_t)token, x);
    for (i = embedding->cols; i < b2s6_pad16(embedding->cols); i++)
        x[i] = 0.0f;
}

/* What the section that encodes features sees. */
struct encoder_context {
    const struct pass *pass;
    struct prepared input;
};

/*
 * Groups begin .. end - 1 of x = W features + bias, for all rows of the pass. W is of floats
 * (b2s6_take_precise): there are few features, and all that follows depends on them.
 */
static void encode_features(void *context, size_t begin, size_t end)
{
    const struct encoder_context *c = context;
    const struct b2s6_model *model = c->pass->model;
    struct projection o;

    o.matrix = &model->encoder;
    o.input = &c->input;
    o.index = o.part = 0;
    o.bias = model->encoder_bias;
    o.y = c->pass->x;
    o.y_stride = b2s6_pad16(model->config.d_model);
    b2s6_project(c->pass, &o, begin, end);
}

/*
 * Tokens are looked up on the caller's thread: a row is copied, which is not worth a section. Features are
 * copied first, for two reasons: values below 2^-100 become zero, since arithmetic with subnormal numbers
 * is slow on many processors; and the features of a step may be where its output goes, which b2s6.h
 * allows.
 */
void b2s6_encode_pass(const struct pass *p, const struct stream_ends *e)
{
    const size_t width = p->model->config.input_size, padded = b2s6_pad16(p->model->config.input_size);
    const size_t d = b2s6_pad16(p->model->config.d_model), n_rows = pass_rows(p);
    struct encoder_context c;
    size_t row;

    if (e->tokens) {
        for (row = 0; row < n_rows; row++)
            look_up(&p->model->embedding, e->tokens[row], p->x + row * d);
        return;
    }
    for (row = 0; row < n_rows; row++)
        p->model->kernels->flush(p->work->input + row * padded, e->features + row * width, width);
    c.pass = p;
    c.input = b2s6_prepare(p, &p->model->encoder, p->work->input, padded, n_rows, 1);
    b2s6_pass_section(p, encode_features, &c, d / B2S6_LANES, product_cost(&p->model->encoder, n_rows));
}

/*
 * x = mean of all rows of a stream so far, x being row number `step`, counted from 1. The sum is kept with
 * what its roundings lost (Knuth's exact sum of two floats), so that it stays exact to the last bits over
 * millions of steps: a plain sum in floats stands still once it is 2^24 times a value.
 *
 *     s = sum + x rounded,   error = (sum - (s - back)) + (x - back),  back = s - sum,   sum + x = s + error exactly
 *
 * All floats of a row, padding too. A mean of a stream longer than 2^24 steps divides by the nearest float
 * to its length.
 */
static void pool_mean(struct b2s6_state *state, float *x, uint64_t step)
{
    const uint32_t d = b2s6_pad16(state->model->config.d_model);
    float *sum = state_pool(state), *lost = sum + d;
    const float n = b2s6_float_of_u64(step);
    float s, back;
    uint32_t i;

    for (i = 0; i < d; i++) {
        s = sum[i] + x[i];
        back = s - sum[i];
        lost[i] += (sum[i] - (s - back)) + (x[i] - back);
        sum[i] = s;
        x[i] = (s + lost[i]) / n;
    }
}

/*
 * NaN has many bit patterns, and which one an operation gives differs between machines; the output has
 * one, so that outputs can be compared as bytes. A NaN comes from weights that were not verified, or from
 * sums that overflowed.
 */
static void one_nan(float *out, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (out[i] != out[i])
            out[i] = b2s6_float_of(0x7fc00000u);
}

/* What the section of the head sees: rows begin with the first of a round of put_out_head, out likewise. */
struct head_context {
    const struct pass *pass;
    struct prepared rows;
    float *out;              /* (rows, head size) */
};

/*
 * Outputs begin * 16 .. end * 16 - 1 of some output rows, as far as there are any: a head's size is rarely
 * a multiple of 16, and the last panel must not write beyond a row. The product knows that from y_stride,
 * `last` says it to one_nan.
 */
static void apply_head(void *context, size_t begin, size_t end)
{
    const struct head_context *c = context;
    const struct b2s6_model *model = c->pass->model;
    const size_t n_out = model->head.rows, last = end * B2S6_LANES < n_out ? end * B2S6_LANES : n_out;
    struct projection o;
    size_t row;

    o.matrix = &model->head;
    o.input = &c->rows;
    o.index = o.part = 0;
    o.bias = model->head_bias;
    o.y = c->out;
    /* the matrix's own number of rows says that y has no padding (b2s6_project) */
    o.y_stride = n_out;
    b2s6_project(c->pass, &o, begin, end);
    for (row = 0; row < c->rows.n_rows; row++)
        /* this part's own outputs only; other parts write beside them */
        one_nan(c->out + row * n_out + begin * B2S6_LANES, last - begin * B2S6_LANES);
}

/*
 * Rows from first_row on, as many at once as the workspace has rows for. A pass of a run is never larger
 * than that, but at the end of a bidirectional sequence the pass is the whole sequence, while codes and
 * tiles of a product have room for a chunk.
 */
static void put_out_head(const struct pass *p, const struct stream_ends *e)
{
    const struct matrix *head = &p->model->head;
    const size_t d = b2s6_pad16(p->model->config.d_model), n_rows = pass_rows(p);
    struct head_context c;
    size_t row, n;

    c.pass = p;
    c.out = e->out;
    for (row = e->first_row; row < n_rows; row += n) {
        n = n_rows - row < p->work->n_rows ? n_rows - row : p->work->n_rows;
        c.rows = b2s6_prepare(p, head, p->x + row * d, d, n, 1);
        b2s6_pass_section(p, apply_head, &c, b2s6_pad16(head->rows) / B2S6_LANES, product_cost(head, n));
        /* rows of the head's own width, without padding, as the host reads them */
        c.out += n * head->rows;
    }
}

/*
 * Norm and pooling of the rows that are needed: all if they enter a mean, else those that are put out. The
 * norm is in place: nobody reads the residual stream after it. state->n_steps is the number of steps
 * before this pass, so row t of a stream is its step n_steps + t + 1. With pooling "last" a row is its own
 * answer, and nothing is to be done.
 */
static void finish_rows(const struct pass *p, const struct stream_ends *e)
{
    const struct model_config *c = &p->model->config;
    const size_t d = b2s6_pad16(c->d_model), n_rows = pass_rows(p);
    const int mean = c->pool == B2S6_POOL_MEAN;
    struct norm n;
    size_t row = mean ? 0 : e->first_row, i;

    n.kind = c->final_norm;
    n.eps = b2s6_float_of(c->final_norm_eps);
    n.weight = p->model->final_norm_weight;
    n.bias = p->model->final_norm_bias;
    n.d = c->d_model;
    /* with RUN_LAST most passes put out no row at all */
    if (row < n_rows)
        p->model->kernels->norm(&n, p->x + row * d, p->x + row * d, n_rows - row, d);
    for (i = 0; mean && i < n_rows; i++) {
        /* whose row it is: rows are stream-major */
        struct b2s6_state *state = p->states[i / p->n_steps];

        pool_mean(state, p->x + i * d, state->n_steps + i % p->n_steps + 1);
    }
}

/*
 * Without an output the rows are finished only where the stream remembers them, in a mean. Hidden rows
 * lose their padding on the way out.
 */
void b2s6_finish_pass(const struct pass *p, const struct stream_ends *e)
{
    const struct model_config *c = &p->model->config;
    const size_t d = b2s6_pad16(c->d_model), n_rows = pass_rows(p);
    size_t row;

    if (e->out || c->pool == B2S6_POOL_MEAN)
        finish_rows(p, e);
    /* the stream has been moved on, and nobody wants a row */
    if (!e->out || e->first_row >= n_rows)
        return;
    if (c->head_size && !e->hidden) {
        put_out_head(p, e);
        return;
    }
    for (row = e->first_row; row < n_rows; row++) {
        float *out = e->out + (row - e->first_row) * c->d_model;

        memcpy(out, p->x + row * d, c->d_model * sizeof *out);
        one_nan(out, c->d_model);
    }
}
