/* The blocks around the unit, for one chunk of a causal stream. */
#include "forward.h"
#include "kernels.h"

void b2s6_layer_norm(const struct b2s6_model *model, uint32_t l, const float *x, float *out, size_t n_rows)
{
    const struct config *c = &model->config;
    struct norm n;

    n.kind = c->norm;
    n.eps = b2s6_float_of(c->norm_eps);
    n.weight = model->layers[l].norm_weight;
    n.bias = model->layers[l].norm_bias;
    n.d = c->d_model;
    model->kernels->norm(&n, x, out, n_rows, b2s6_pad16(c->d_model));
}

void b2s6_s4_mix(const struct b2s6_model *model, uint32_t l, struct work *w, float *y, float *x, size_t n_rows)
{
    const struct layer *layer = &model->layers[l];
    const size_t d = w->d;

    model->kernels->gelu(y, n_rows * d);
    b2s6_multiply(model, &layer->out, 0, layer->out_bias, y, d, w->mixed, 2 * d, n_rows);
    b2s6_multiply(model, &layer->out, 1, layer->out_bias + d, y, d, w->mixed + d, 2 * d, n_rows);
    model->kernels->add_gated(x, w->mixed, n_rows, d);
}

/* x += out_proj (unit(silu(conv(v))) silu(z)), (v, z) = in_proj input */
static void mamba_run(struct b2s6_state *state, uint32_t l, struct work *w, const float *input, size_t n_rows)
{
    const struct b2s6_model *model = state->model;
    const struct b2s6_kernels *k = model->kernels;
    const struct layer *layer = &model->layers[l];
    const size_t d = w->d, di = w->di;
    struct conv conv;

    b2s6_multiply(model, &layer->in_proj, 0, layer->in_bias, input, d, w->vz, 2 * di, n_rows);
    b2s6_multiply(model, &layer->in_proj, 1, layer->in_bias ? layer->in_bias + di : NULL, input, d, w->vz + di, 2 * di,
                  n_rows);
    conv.weight = layer->conv_weight;
    conv.bias = layer->conv_bias;
    conv.v = w->vz;
    conv.u = w->u;
    conv.window = b2s6_state_window(state, l);
    conv.v_stride = 2 * di;
    conv.n_steps = n_rows;
    conv.width = w->di;
    conv.d_conv = model->config.d_conv;
    conv.first_group = 0;
    conv.end_group = w->di / B2S6_LANES;
    k->conv_silu(&conv);
    b2s6_unit_run(model, &layer->unit[0], w, w->u, w->y, b2s6_state_unit(state, l), n_rows, 0);
    k->gate_silu(w->y, w->vz + di, n_rows, di, 2 * di);
    b2s6_multiply(model, &layer->out, 0, layer->out_bias, w->y, di, w->mixed, d, n_rows);
    k->add(w->x, w->mixed, n_rows * d);
}

void b2s6_layer_run(struct b2s6_state *state, uint32_t l, struct work *w, size_t n_rows)
{
    const struct b2s6_model *model = state->model;
    const int post = model->config.norm_place == NORM_POST;
    const float *input = w->x;

    if (!post && model->config.norm != B2S6_NORM_NONE) {
        b2s6_layer_norm(model, l, w->x, w->normed, n_rows);
        input = w->normed;
    }
    if (model->config.block == B2S6_BLOCK_MAMBA) {
        mamba_run(state, l, w, input, n_rows);
    } else {
        b2s6_unit_run(model, &model->layers[l].unit[0], w, input, w->y, b2s6_state_unit(state, l), n_rows, 0);
        b2s6_s4_mix(model, l, w, w->y, w->x, n_rows);
    }
    if (post)
        b2s6_layer_norm(model, l, w->x, w->x, n_rows);
}
