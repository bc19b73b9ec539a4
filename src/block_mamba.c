/* The mamba block: out_proj (unit(silu(conv(v))) silu(z)), (v, z) = in_proj input (the paper's language models). */
#include "block.h"

struct mamba_context {
    const struct pass *pass;
    uint32_t layer;
    const float *input;
};

static void convolve(const struct pass *p, uint32_t l, size_t begin, size_t end)
{
    const struct layer *layer = &p->model->layers[l];
    const struct work *w = p->work;
    struct conv conv;
    size_t i;

    conv.weight = layer->conv_weight;
    conv.bias = layer->conv_bias;
    conv.v_stride = 2 * (size_t)w->di;
    conv.n_steps = p->n_steps;
    conv.width = w->di;
    conv.d_conv = p->model->config.d_conv;
    conv.first_group = (uint32_t)begin;
    conv.end_group = (uint32_t)end;
    for (i = 0; i < p->n_streams; i++) {
        conv.v = w->vz + i * p->n_steps * conv.v_stride;
        conv.u = w->u + i * p->n_steps * w->di;
        conv.window = b2s6_state_window(p->states[i], l);
        p->model->kernels->conv_silu(&conv);
    }
}

/* Groups begin .. end - 1 of v and z, and of the convolution of v. */
static void expand(void *context, size_t begin, size_t end)
{
    const struct mamba_context *c = context;
    const struct pass *p = c->pass;
    const struct layer *layer = &p->model->layers[c->layer];
    const size_t di = p->work->di;
    struct operand o;

    o.matrix = &layer->in_proj;
    o.part = 0;
    o.n_parts = 1;
    o.n_rows = pass_rows(p);
    o.x = c->input;
    o.x_stride = p->work->d;
    o.y_stride = 2 * di;
    for (o.index = 0; o.index < 2; o.index++) {
        o.bias = layer->in_bias ? layer->in_bias + o.index * di : NULL;
        o.y = p->work->vz + o.index * di;
        b2s6_pass_product(p, &o, begin, end);
    }
    convolve(p, c->layer, begin, end);
}

/* Groups begin .. end - 1 of x += out_proj y. */
static void contract(void *context, size_t begin, size_t end)
{
    const struct mamba_context *c = context;
    const struct pass *p = c->pass;
    const struct layer *layer = &p->model->layers[c->layer];
    const struct work *w = p->work;
    struct operand o;

    o.matrix = &layer->out;
    o.index = o.part = 0;
    o.n_parts = 1;
    o.n_rows = pass_rows(p);
    o.bias = layer->out_bias;
    o.x = w->y;
    o.y = w->mixed;
    o.x_stride = w->di;
    o.y_stride = w->d;
    b2s6_pass_product(p, &o, begin, end);
    p->model->kernels->add(w->x, w->mixed, pass_span(p, w->d, begin, end));
}

void b2s6_mamba_pass(const struct pass *p, uint32_t l, const float *input)
{
    const struct work *w = p->work;
    struct mamba_context c;
    struct unit_pass u;

    c.pass = p;
    c.layer = l;
    c.input = input;
    b2s6_pass_prepare(p, &p->model->layers[l].in_proj, input, w->d, pass_rows(p), 1);
    b2s6_pass_section(p, expand, &c, w->di / B2S6_LANES);
    memset(&u, 0, sizeof u);
    u.unit = &p->model->layers[l].unit[0];
    u.u = w->u;
    u.y = w->y;
    u.slot = l;
    u.after = AFTER_GATE;
    u.gate = w->vz + w->di;
    u.gate_stride = 2 * (size_t)w->di;
    b2s6_unit_pass(p, &u);
    b2s6_pass_prepare(p, &p->model->layers[l].out, w->y, w->di, pass_rows(p), 1);
    b2s6_pass_section(p, contract, &c, w->d / B2S6_LANES);
}
