/* Both ends of a model: the encoder before the layers; norm, pooling and head after them. */
#include "pass.h"
#include "portable/convert.h"

/* The row of the embedding for a token, out of the panel it lies in. */
static void look_up(const struct matrix *embedding, int32_t token, float *x)
{
    const uint32_t row = (uint32_t)token, d = embedding->cols;
    const float *panel = (const float *)embedding->data + (size_t)(row / B2S6_LANES) * B2S6_LANES * d + row % B2S6_LANES;
    uint32_t i;

    for (i = 0; i < d; i++)
        x[i] = panel[(size_t)i * B2S6_LANES];
    for (; i < b2s6_pad16(d); i++)
        x[i] = 0.0f;
}

struct ends_context {
    const struct pass *pass;
    const struct ends *ends;
    float *x;
    size_t n_rows; /* of the output */
};

static void encode_features(void *context, size_t begin, size_t end)
{
    const struct ends_context *c = context;
    const struct b2s6_model *model = c->pass->model;
    struct operand o;

    o.matrix = &model->encoder;
    o.index = 0;
    o.bias = model->encoder_bias;
    o.x = c->pass->work->input;
    o.y = c->x;
    o.x_stride = b2s6_pad16(model->config.input_size);
    o.y_stride = c->pass->work->d;
    b2s6_pass_product(c->pass, &o, begin, end);
}

void b2s6_encode_pass(const struct pass *p, const struct ends *e, float *x)
{
    const size_t width = p->model->config.input_size, padded = b2s6_pad16(p->model->config.input_size);
    struct ends_context c;
    size_t row;

    if (e->tokens) {
        for (row = 0; row < pass_rows(p); row++)
            look_up(&p->model->embedding, e->tokens[row], x + row * p->work->d);
        return;
    }
    for (row = 0; row < pass_rows(p); row++)
        p->model->kernels->flush(p->work->input + row * padded, e->features + row * width, width);
    c.pass = p;
    c.ends = e;
    c.x = x;
    c.n_rows = 0;
    b2s6_pass_section(p, encode_features, &c, p->work->d / B2S6_LANES);
}

/*
 * x = mean of all rows so far. The sum is kept with what its roundings lost (Knuth's exact sum of two floats), so that it stays
 * exact to the last bits over millions of steps.
 */
static void pool_mean(struct b2s6_state *state, float *x, uint64_t step)
{
    const uint32_t d = b2s6_pad16(state->model->config.d_model);
    float *sum = b2s6_state_pool(state), *lost = sum + d;
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

/* NaN has many bit patterns, and which one an operation gives differs between machines; the output has one. */
static void one_nan(float *out, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (out[i] != out[i])
            out[i] = b2s6_float_of(0x7fc00000u);
}

/* Outputs begin * 16 .. end * 16 - 1 of every output row. */
static void apply_head(void *context, size_t begin, size_t end)
{
    const struct ends_context *c = context;
    const struct b2s6_model *model = c->pass->model;
    const size_t d = c->pass->work->d, last = end * B2S6_LANES < model->head.rows ? end * B2S6_LANES : model->head.rows;
    struct product product;
    size_t row;

    product.weight = model->head.data;
    product.bias = model->head_bias;
    product.x = c->x + c->ends->first_row * d;
    product.y = c->ends->out;
    product.x_stride = d;
    product.y_stride = product.n_out = model->head.rows;
    product.n_rows = c->n_rows;
    product.k = model->head.cols;
    product.first_panel = (uint32_t)begin;
    product.end_panel = (uint32_t)end;
    model->kernels->product(&product);
    for (row = 0; row < c->n_rows; row++)
        one_nan(c->ends->out + row * model->head.rows + begin * B2S6_LANES, last - begin * B2S6_LANES);
}

/* Norm and pooling of the rows that are needed: all if they enter a mean, else those that are put out. */
static void finish_rows(const struct pass *p, const struct ends *e, float *x)
{
    const struct config *c = &p->model->config;
    const size_t d = p->work->d, n_rows = pass_rows(p);
    const int mean = c->pool == B2S6_POOL_MEAN;
    struct norm n;
    size_t row = mean ? 0 : e->first_row, i;

    n.kind = c->final_norm;
    n.eps = b2s6_float_of(c->final_norm_eps);
    n.weight = p->model->final_norm_weight;
    n.bias = p->model->final_norm_bias;
    n.d = c->d_model;
    if (row < n_rows)
        p->model->kernels->norm(&n, x + row * d, x + row * d, n_rows - row, d);
    for (i = 0; mean && i < n_rows; i++) {
        struct b2s6_state *state = p->states[i / p->n_steps];
        pool_mean(state, x + i * d, state->n_steps + i % p->n_steps + 1);
    }
}

void b2s6_finish_pass(const struct pass *p, const struct ends *e, float *x)
{
    const struct config *g = &p->model->config;
    const size_t d = p->work->d, n_rows = pass_rows(p);
    struct ends_context c;
    size_t row;

    if (e->out || g->pool == B2S6_POOL_MEAN)
        finish_rows(p, e, x);
    if (!e->out || e->first_row >= n_rows)
        return;
    c.pass = p;
    c.ends = e;
    c.x = x;
    c.n_rows = n_rows - e->first_row;
    if (g->head_size && !e->hidden) {
        b2s6_pass_section(p, apply_head, &c, b2s6_pad16(g->head_size) / B2S6_LANES);
        return;
    }
    for (row = 0; row < c.n_rows; row++) {
        memcpy(e->out + row * g->d_model, x + (e->first_row + row) * d, g->d_model * sizeof *x);
        one_nan(e->out + row * g->d_model, g->d_model);
    }
}
