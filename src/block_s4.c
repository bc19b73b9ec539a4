/*
 * The s4 block: the unit, a GELU, and a gated projection (the paper's Long-Range Arena models).
 *
 *     y = gelu(unit(input));   (a, g) = out y + bias;   x += a sigmoid(g)
 *
 * It is the one block whose unit is as wide as the model, and the one that can read a sequence in both directions: then
 * bidirectional.c runs both units, adds their outputs, and calls s4_mix for what follows.
 */
#include "block.h"

#if B2S6_HAS_S4

/* The unit's keys follow it in the file. */
static const struct key s4_keys[] = {
    B2S6_KEY(KEY_BIDIRECTIONAL, layer_config, bidirectional, 0, 1, "bidirectional"),
};

/* No key of its own for the width: it is the model's. */
static const char *s4_check(struct layer_config *c, const struct model_config *m)
{
    c->d_inner = m->d_model;
    return NULL;
}

/* Both units have the same configuration, and weights of their own. The backward one's roles come after the forward one's. */
static void s4_bind(struct binder *b, struct layer *layer, uint32_t d_model)
{
    b2s6_unit_bind(b, ROLE_UNIT, &layer->config, &layer->unit);
    if (B2S6_HAS_BIDIRECTIONAL && layer->config.bidirectional)
        b2s6_unit_bind(b, ROLE_UNIT_BACKWARDS, &layer->config, LAYER_BACKWARDS(layer));
    b2s6_take_matrix(b, &layer->out, ROLE_OUT, 2, d_model, d_model);
    b2s6_need_prepared(b, &layer->out, 1);
    layer->out_bias = b2s6_take_tensor(b, ROLE_OUT_BIAS, 2, 1, b2s6_pad16(d_model), 2 * d_model);
}

/*
 * One part of a stream: the forward unit's states. A bidirectional layer has no stream between calls, and its backward
 * unit borrows the same part (bidirectional.c).
 */
static void s4_place(struct needs *needs, struct layer *layer, uint32_t d_model)
{
    const uint32_t mixed = 2 * b2s6_pad16(d_model);

    b2s6_unit_place(needs, &layer->config, &layer->part[0]);
    needs->projected = needs->projected < mixed ? mixed : needs->projected;
}

/* On the stack of mix_activated; the parts of the section read it. */
struct mix_context {
    const struct pass *pass;
    const struct layer *layer;
    struct prepared y;
};

/*
 * Groups begin .. end - 1 of (a, g) = out y + bias, then of x += a sigmoid(g). a and g are two matrices side by side, of
 * whole panels each, so that a group of a and the same group of g are made by the same part and need not wait.
 */
static void mix(void *context, size_t begin, size_t end)
{
    const struct mix_context *c = context;
    const struct pass *p = c->pass;
    const size_t d = b2s6_pad16(p->model->config.d_model);
    float *ag = p->work->projected;
    struct projection o;

    o.matrix = &c->layer->out;
    o.input = &c->y;
    o.part = 0;
    o.y_stride = 2 * d;
    for (o.index = 0; o.index < 2; o.index++) {
        o.bias = c->layer->out_bias + o.index * d;
        o.y = ag + o.index * d;
        b2s6_project(p, &o, begin, end);
    }
    p->model->kernels->add_gated(p->x, ag, ag + d, 2 * d, pass_span(p, d, begin, end));
}

/*
 * x += a sigmoid(g), (a, g) = out y + bias. y has been through the GELU, all of it: a product reads whole rows, so this is
 * a section of its own.
 */
static B2S6_APART void mix_activated(const struct pass *p, const struct layer *layer, const float *y)
{
    const size_t d = b2s6_pad16(p->model->config.d_model), n_rows = pass_rows(p);
    struct mix_context c;

    c.pass = p;
    c.layer = layer;
    c.y = b2s6_prepare(p, &layer->out, y, d, n_rows, 1);
    b2s6_pass_section(p, mix, &c, d / B2S6_LANES, product_cost(&layer->out, n_rows) + elementary_cost(n_rows * d));
}

/* What follows the sum of both units: here the GELU comes after both, so no unit has taken it. */
static void s4_mix(const struct pass *p, const struct layer *layer, float *y)
{
    const size_t d = b2s6_pad16(p->model->config.d_model);

    p->model->kernels->gelu(y, pass_span(p, d, 0, d / B2S6_LANES));
    mix_activated(p, layer, y);
}

/* The GELU is part of the unit's last section (AFTER_GELU), as it stays within the channels. */
static void s4_pass(const struct pass *p, const struct layer *layer, const float *input)
{
    struct unit_pass u;

    memset(&u, 0, sizeof u);
    u.layer = layer;
    u.unit = &layer->unit;
    u.u = input;
    u.y = p->work->y;
    u.after = AFTER_GELU;
    b2s6_unit_pass(p, &u);
    mix_activated(p, layer, u.y);
}

const struct block b2s6_block_s4 = {
    B2S6_BLOCK_S4, s4_keys, sizeof s4_keys / sizeof s4_keys[0], 1, s4_check, s4_bind, s4_place, s4_pass,
    B2S6_HAS_BIDIRECTIONAL ? s4_mix : NULL
};

#endif
