/*
 * The mamba block (Gu and Dao, arXiv 2312.00752; the paper's language models):
 *
 *     (v, z) = in_proj input;   u = silu(conv(v));   x += out_proj (unit(u) silu(z))
 *
 * Three sections: expanding with the convolution, since that stays within a channel; the unit with the gate, for the same
 * reason; and contracting. Of a stream it keeps the unit's states and, for the convolution, the last d_conv - 1 rows of v.
 */
#include "block.h"
#include "block_parts.h"

#if B2S6_HAS_MAMBA

/* Its parts of a stream. */
enum { PART_UNIT, PART_WINDOW };

/* The unit's keys follow these in the file. */
static const struct key mamba_keys[] = {
    B2S6_KEY(KEY_D_INNER, layer_config, d_inner, 1, FORMAT_MAX_WIDTH, "d_inner"),
    B2S6_KEY(KEY_D_CONV, layer_config, d_conv, 1, FORMAT_MAX_D_CONV, "d_conv"),
    B2S6_KEY(KEY_PROJECTION_BIASES, layer_config, projection_biases, 0, 3, "projection biases"),
};

/* Any width goes with any d_model; that h divides it is a rule of the unit. */
static const char *mamba_check(struct layer_config *c, const struct model_config *m)
{
    (void)c;
    (void)m;
    return NULL;
}

/* In the order of the roles; the two biases of projections are there by the bits of one key. */
static void mamba_bind(struct binder *b, struct layer *layer, uint32_t d_model)
{
    const struct layer_config *c = &layer->config;
    const uint32_t di = b2s6_pad16(c->d_inner);

    b2s6_take_matrix(b, &layer->in_proj, ROLE_IN_PROJ, 2, c->d_inner, d_model);
    b2s6_need_prepared(b, &layer->in_proj, 1);
    if (c->projection_biases & BIAS_IN_PROJ)
        layer->in_bias = b2s6_take_tensor(b, ROLE_IN_BIAS, 2, 1, di, 2 * c->d_inner);
    layer->conv_weight = b2s6_take_tensor(b, ROLE_CONV_WEIGHT, 1, c->d_conv, di, c->d_conv * c->d_inner);
    layer->conv_bias = b2s6_take_vector(b, ROLE_CONV_BIAS, c->d_inner);
    b2s6_unit_bind(b, ROLE_UNIT, c, &layer->unit);
    b2s6_take_matrix(b, &layer->out, ROLE_OUT, 1, d_model, c->d_inner);
    b2s6_need_prepared(b, &layer->out, 1);
    if (c->projection_biases & BIAS_OUT_PROJ)
        layer->out_bias = b2s6_take_vector(b, ROLE_OUT_BIAS, d_model);
}

/*
 * The window of d_conv = 1 has no rows, which means: no such part. expanded holds v and z of a row side by side; z is read
 * as late as the gate, so nobody may reuse the place before.
 */
static void mamba_place(struct needs *needs, struct layer *layer, uint32_t d_model)
{
    const uint32_t di = b2s6_pad16(layer->config.d_inner), d = b2s6_pad16(d_model);

    b2s6_unit_place(needs, &layer->config, &layer->part[PART_UNIT]);
    layer->part[PART_WINDOW].rows = (uint16_t)(layer->config.d_conv - 1);
    layer->part[PART_WINDOW].width = layer->config.d_inner;
    layer->part[PART_WINDOW].planes = 1;
    needs->expanded = needs->expanded < 2 * di ? 2 * di : needs->expanded;
    needs->u = needs->u < di ? di : needs->u;
    needs->projected = needs->projected < d ? d : needs->projected;
}

/* On the stack of mamba_pass; the parts of its first section read it. */
struct mamba_context {
    const struct pass *pass;
    const struct layer *layer;
    struct prepared rows;    /* what the product of the section reads */
    size_t di;               /* pad16(d_inner) */
};

/*
 * u = silu(conv(v)), stream by stream, for groups begin .. end - 1; the windows are brought up to date. A window is the
 * stream's own memory, each part of the section moves its columns only, and v of these groups is ready: the same part has
 * made it.
 */
static void convolve(const struct mamba_context *c, size_t begin, size_t end)
{
    const struct pass *p = c->pass;
    struct conv conv;
    size_t i;

    conv.weight = c->layer->conv_weight;
    conv.bias = c->layer->conv_bias;
    conv.v_stride = 2 * c->di;
    conv.n_steps = p->n_steps;
    conv.width = (uint32_t)c->di;
    conv.d_conv = c->layer->config.d_conv;
    conv.first_group = (uint32_t)begin;
    conv.end_group = (uint32_t)end;
    for (i = 0; i < p->n_streams; i++) {
        conv.v = p->work->expanded + i * p->n_steps * conv.v_stride;
        conv.u = p->work->u + i * p->n_steps * c->di;
        conv.window = state_part(p->states[i], c->layer, PART_WINDOW);
        p->model->kernels->conv_silu(&conv);
    }
}

/*
 * Groups begin .. end - 1 of v and z, and of the convolution of v. Both products read the same prepared rows; index says
 * which of the two matrices of in_proj is meant.
 */
static void expand(void *context, size_t begin, size_t end)
{
    const struct mamba_context *c = context;
    struct projection o;

    o.matrix = &c->layer->in_proj;
    o.input = &c->rows;
    o.part = 0;
    o.y_stride = 2 * c->di;
    for (o.index = 0; o.index < 2; o.index++) {
        o.bias = c->layer->in_bias ? c->layer->in_bias + o.index * c->di : NULL;
        o.y = c->pass->work->expanded + o.index * c->di;
        b2s6_project(c->pass, &o, begin, end);
    }
    convolve(c, begin, end);
}

/* input may be p->x itself: it is read to its end before the last section adds to that. */
static void mamba_pass(const struct pass *p, const struct layer *layer, const float *input)
{
    const struct workspace *w = p->work;
    const size_t d = b2s6_pad16(p->model->config.d_model), n_rows = pass_rows(p);
    struct mamba_context c;
    struct unit_pass u;

    c.pass = p;
    c.layer = layer;
    c.di = b2s6_pad16(layer->config.d_inner);
    c.rows = b2s6_prepare(p, &layer->in_proj, input, d, n_rows, 1);
    b2s6_pass_section(p, expand, &c, c.di / B2S6_LANES,
                      product_cost(&layer->in_proj, n_rows) + elementary_cost(2 * n_rows * c.di));
    memset(&u, 0, sizeof u);
    u.layer = layer;
    u.unit = &layer->unit;
    u.u = w->u;
    u.y = w->y;
    u.part = PART_UNIT;
    u.after = AFTER_GATE;
    u.gate = w->expanded + c.di;
    u.gate_stride = 2 * c.di;
    b2s6_unit_pass(p, &u);
    b2s6_block_contract(p, &layer->out, layer->out_bias, w->y, c.di);
}

const struct block b2s6_block_mamba = {
    B2S6_BLOCK_MAMBA, mamba_keys, sizeof mamba_keys / sizeof mamba_keys[0], 1, mamba_check, mamba_bind, mamba_place,
    mamba_pass, NULL
};

#endif
