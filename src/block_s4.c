/* The s4 block: the unit, a GELU, and a gated projection (the paper's Long-Range Arena models). */
#include "block.h"

struct mix_context {
    const struct pass *pass;
    uint32_t layer;
    const float *y;
    float *x;
};

/* Groups begin .. end - 1 of (a, g) = out y + bias, then of x += a sigmoid(g). */
static void mix(void *context, size_t begin, size_t end)
{
    const struct mix_context *c = context;
    const struct pass *p = c->pass;
    const struct layer *layer = &p->model->layers[c->layer];
    const size_t d = p->work->d;
    float *mixed = p->work->mixed;
    struct operand o;

    o.matrix = &layer->out;
    o.part = 0;
    o.n_parts = 1;
    o.n_rows = pass_rows(p);
    o.x = c->y;
    o.x_stride = d;
    o.y_stride = 2 * d;
    for (o.index = 0; o.index < 2; o.index++) {
        o.bias = layer->out_bias + o.index * d;
        o.y = mixed + o.index * d;
        b2s6_pass_product(p, &o, begin, end);
    }
    p->model->kernels->add_gated(c->x, mixed, mixed + d, 2 * d, pass_span(p, d, begin, end));
}

void b2s6_s4_mix_pass(const struct pass *p, uint32_t l, const float *y, float *x)
{
    struct mix_context c;

    c.pass = p;
    c.layer = l;
    c.y = y;
    c.x = x;
    b2s6_pass_prepare(p, &p->model->layers[l].out, y, p->work->d, pass_rows(p), 1);
    b2s6_pass_section(p, mix, &c, p->work->d / B2S6_LANES);
}

void b2s6_s4_pass(const struct pass *p, uint32_t l, const float *input)
{
    struct unit_pass u;

    memset(&u, 0, sizeof u);
    u.unit = &p->model->layers[l].unit[0];
    u.u = input;
    u.y = p->work->y;
    u.slot = l;
    u.after = AFTER_GELU;
    b2s6_unit_pass(p, &u);
    b2s6_s4_mix_pass(p, l, u.y, p->work->x);
}
