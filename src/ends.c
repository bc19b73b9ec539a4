/* Both ends of a model: the encoder before the layers; norm, pooling and head after them. */
#include "forward.h"
#include "kernels.h"

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

void b2s6_encode(const struct b2s6_model *model, struct work *w, const int32_t *tokens, const float *features, float *x,
                 size_t n_rows)
{
    const size_t width = model->config.input_size, padded = b2s6_pad16(model->config.input_size);
    size_t row;

    if (tokens) {
        for (row = 0; row < n_rows; row++)
            look_up(&model->embedding, tokens[row], x + row * w->d);
        return;
    }
    for (row = 0; row < n_rows; row++)
        model->kernels->flush(w->input + row * padded, features + row * width, width);
    b2s6_multiply(model, &model->encoder, 0, model->encoder_bias, w->input, padded, x, w->d, n_rows);
}

/*
 * x = mean of all rows so far. The sum is kept with what its roundings lost (Knuth's exact sum of two floats), so that it stays
 * exact to the last bits over millions of steps.
 */
static void pool_mean(struct b2s6_state *state, float *x, uint64_t step)
{
    const uint32_t d = b2s6_pad16(state->model->config.d_model);
    float *sum = b2s6_state_pool(state), *lost = sum + d;
    const float n = (float)step;
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

static void head_row(const struct b2s6_model *model, const float *x, float *out)
{
    struct product p;

    p.weight = model->head.data;
    p.bias = model->head_bias;
    p.x = x;
    p.y = out;
    p.x_stride = b2s6_pad16(model->config.d_model);
    p.y_stride = p.n_out = model->head.rows;
    p.n_rows = 1;
    p.k = model->head.cols;
    p.first_panel = 0;
    p.end_panel = b2s6_pad16(p.n_out) / B2S6_LANES;
    model->kernels->product(&p);
}

/* NaN has many bit patterns, and which one an operation gives differs between machines; the output has one. */
static void one_nan(float *out, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (out[i] != out[i])
            out[i] = b2s6_float_of(0x7fc00000u);
}

void b2s6_finish(struct b2s6_state *state, float *x, size_t n_rows, float *out, size_t first_row, int hidden)
{
    const struct b2s6_model *model = state->model;
    const struct config *c = &model->config;
    const size_t d = b2s6_pad16(c->d_model), width = hidden ? c->d_model : config_output_size(c);
    const int mean = c->pool == B2S6_POOL_MEAN;
    struct norm n;
    size_t row;

    if (!out && !mean)
        return;
    n.kind = c->final_norm;
    n.eps = b2s6_float_of(c->final_norm_eps);
    n.weight = model->final_norm_weight;
    n.bias = model->final_norm_bias;
    n.d = c->d_model;
    for (row = mean ? 0 : first_row; row < n_rows; row++) {
        model->kernels->norm(&n, x + row * d, x + row * d, 1, d);
        if (mean)
            pool_mean(state, x + row * d, state->n_steps + row + 1);
        if (!out || row < first_row)
            continue;
        if (hidden || !c->head_size)
            memcpy(out, x + row * d, width * sizeof *out);
        else
            head_row(model, x + row * d, out);
        one_nan(out, width);
        out += width;
    }
}
