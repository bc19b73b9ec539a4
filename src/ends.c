/* Both ends of a model: the encoder before the layers; norm, pooling and head after them. */
#include "pass.h"
#include "portable/convert.h"

/* The row of the embedding for a token. */
static void look_up(const struct matrix *embedding, int32_t token, float *x)
{
    uint32_t i;

    b2s6_weights_row(embedding->data, embedding->type, embedding->cols, (uint32_t)token, x);
    for (i = embedding->cols; i < b2s6_pad16(embedding->cols); i++)
        x[i] = 0.0f;
}

struct ends_context {
    const struct pass *pass;
    float *x;
    size_t first_row, n_rows; /* of x, that the head is applied to */
    float *out;
};

static void encode_features(void *context, size_t begin, size_t end)
{
    const struct ends_context *c = context;
    const struct b2s6_model *model = c->pass->model;
    struct operand o;

    o.matrix = &model->encoder;
    o.index = o.part = 0;
    o.n_parts = 1;
    o.n_rows = pass_rows(c->pass);
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
    c.x = x;
    b2s6_pass_prepare(p, &p->model->encoder, p->work->input, padded, pass_rows(p), 1);
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

/* Outputs begin * 16 .. end * 16 - 1 of some output rows. */
static void apply_head(void *context, size_t begin, size_t end)
{
    const struct ends_context *c = context;
    const struct b2s6_model *model = c->pass->model;
    const size_t d = c->pass->work->d, last = end * B2S6_LANES < model->head.rows ? end * B2S6_LANES : model->head.rows;
    struct operand o;
    size_t row;

    o.matrix = &model->head;
    o.index = o.part = 0;
    o.n_parts = 1;
    o.bias = model->head_bias;
    o.x = c->x + c->first_row * d;
    o.y = c->out;
    o.x_stride = d;
    o.y_stride = model->head.rows;
    o.n_rows = c->n_rows;
    b2s6_pass_product(c->pass, &o, begin, end);
    for (row = 0; row < c->n_rows; row++)
        one_nan(c->out + row * model->head.rows + begin * B2S6_LANES, last - begin * B2S6_LANES);
}

/* Rows from first_row on, as many at once as the work has rows for. */
static void put_out_head(const struct pass *p, const struct ends *e, float *x)
{
    const struct matrix *head = &p->model->head;
    const size_t n_rows = pass_rows(p);
    struct ends_context c;

    c.pass = p;
    c.x = x;
    c.out = e->out;
    for (c.first_row = e->first_row; c.first_row < n_rows; c.first_row += c.n_rows) {
        c.n_rows = n_rows - c.first_row < p->work->n_rows ? n_rows - c.first_row : p->work->n_rows;
        b2s6_pass_prepare(p, head, x + c.first_row * p->work->d, p->work->d, c.n_rows, 1);
        b2s6_pass_section(p, apply_head, &c, b2s6_pad16(head->rows) / B2S6_LANES);
        c.out += c.n_rows * head->rows;
    }
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
    size_t row;

    if (e->out || g->pool == B2S6_POOL_MEAN)
        finish_rows(p, e, x);
    if (!e->out || e->first_row >= n_rows)
        return;
    if (g->head_size && !e->hidden) {
        put_out_head(p, e, x);
        return;
    }
    for (row = e->first_row; row < n_rows; row++) {
        float *out = e->out + (row - e->first_row) * g->d_model;

        memcpy(out, x + row * d, g->d_model * sizeof *x);
        one_nan(out, g->d_model);
    }
}
