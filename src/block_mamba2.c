/*
 * The mamba2 block (Dao and Gu, arXiv 2405.21060). What the unit reads, its B, C and delta, and its gate are all
 * projections of the layer's input; a convolution runs over u, B and C:
 *
 *     (v, z, bc, dt) = projections of input;   (u, bc) = silu(conv(v, bc));   delta = clamp(softplus(dt))
 *     x += out norm(unit(u; delta, bc) silu(z)), or norm(unit(..)) silu(z), or no norm
 *     if d_mlp > 0: x += out_mlp (m silu(g))
 *
 * h heads of p channels have one delta and one A each, n_groups groups of heads share B and C. The recurrence is the unit's.
 */
#include "block.h"
#include "block_parts.h"
#include "status.h"

#if B2S6_HAS_MAMBA2

/* Its parts of a stream. */
enum { PART_UNIT, PART_WINDOW };

/* Of the unit's keys those three that are free here; the others have one value each, which mamba2_check fills in. */
static const struct key mamba2_keys[] = {
    B2S6_KEY(KEY_D_INNER, layer_config, d_inner, 1, FORMAT_MAX_WIDTH, "d_inner"),
    B2S6_KEY(KEY_D_CONV, layer_config, d_conv, 1, FORMAT_MAX_D_CONV, "d_conv"),
    B2S6_KEY(KEY_PROJECTION_BIASES, layer_config, projection_biases, 0, 3, "projection biases"),
    B2S6_KEY(KEY_D_MLP, layer_config, d_mlp, 0, FORMAT_MAX_WIDTH, "d_mlp"),
    B2S6_KEY(KEY_N_GROUPS, layer_config, n_groups, 1, FORMAT_MAX_WIDTH, "n_groups"),
    B2S6_KEY(KEY_GATED_NORM, layer_config, gated_norm, 0, 2, "gated norm"),
    B2S6_KEY(KEY_GATED_NORM_GROUPS, layer_config, norm_groups, 1, FORMAT_MAX_WIDTH, "groups of the gated norm"),
    B2S6_KEY(KEY_GATED_NORM_EPS, layer_config, gate_eps, 0, FORMAT_MAX_EPS_BITS, "eps of the gated norm"),
    B2S6_KEY(KEY_DELTA_LEAST, layer_config, delta_least, 0, FORMAT_MAX_EPS_BITS, "least delta"),
    B2S6_KEY(KEY_DELTA_MOST, layer_config, delta_most, 0, FORMAT_MAX_DELTA_BITS, "largest delta"),
    B2S6_KEY(KEY_D_SCOPE, layer_config, d_scope, 1, 2, "D scope"),
    B2S6_KEY(KEY_H, layer_config, h, 1, FORMAT_MAX_WIDTH, "h"),
    B2S6_KEY(KEY_D_STATE, layer_config, d_state, 1, FORMAT_MAX_D_STATE, "d_state"),
    B2S6_KEY(KEY_STATES, layer_config, states, 1, 2, "states"),
};

/*
 * What Mamba-2 is, in terms of the unit: a real A a head, B and C of the input, Euler's step, D. c->h is at least 1 and
 * norm_groups too, by their ranges, so that the divisions are allowed. The bound on B and C keeps widths of rows below
 * 2^24 and with them all sums of places (places_of) within 32 bits. That h divides d_inner is a rule of the unit.
 */
static const char *mamba2_check(struct layer_config *c, const struct model_config *m)
{
    (void)m;
    c->a_scope = B2S6_SCOPE_HEAD;
    c->b = B_HAS_WEIGHT;
    c->c = C_SELECTIVE;
    c->delta = B2S6_DELTA_INPUT;
    c->discretization = EULER;
    c->skip = 1;
    if (c->h % c->n_groups != 0)
        return B2S6_WORDS("n_groups does not divide h");
    if ((uint64_t)c->n_groups * c->d_state > FORMAT_MAX_SIZE / 2)
        return B2S6_WORDS("B and C of all groups are too wide");
    if (c->d_inner % c->norm_groups != 0)
        return B2S6_WORDS("the groups of the gated norm do not divide the unit's width");
    if (c->gated_norm == GATED_NORM_NONE && (c->norm_groups != 1 || c->gate_eps))
        return B2S6_WORDS("groups or an eps without a gated norm");
    if (c->delta_least > c->delta_most) /* the bits of floats >= 0 are in the order of the floats */
        return B2S6_WORDS("the least delta is above the largest");
    return NULL;
}

/*
 * Floats of B and C of all groups of heads: B, then C, of each. They are one row, so that one product and one convolution
 * do for all. At most 2^24, by mamba2_check.
 */
static uint32_t bc_width(const struct layer_config *c)
{
    return 2 * c->n_groups * c->d_state;
}

/*
 * Where the pieces of a row of work->expanded begin: v at 0, then these. v and bc come first, since the convolution reads them
 * as one row; work->u has the same two.
 */
struct places {
    size_t bc, z, dt, mlp, width;
};

static struct places places_of(const struct layer_config *c)
{
    const size_t di = b2s6_pad16(c->d_inner);
    struct places at;

    at.bc = di;
    at.z = at.bc + b2s6_pad16(bc_width(c));
    at.dt = at.z + di;
    at.mlp = at.dt + b2s6_pad16(c->h);
    at.width = at.mlp + 2 * (size_t)b2s6_pad16(c->d_mlp);
    return at;
}

/* A matrix that a pass multiplies with: a workspace must have room for its input, packed or as codes. */
static void take_projection(struct binder *b, struct matrix *m, uint32_t role, uint32_t count, uint32_t rows, uint32_t cols)
{
    b2s6_take_matrix(b, m, role, count, rows, cols);
    b2s6_need_prepared(b, m, 1);
}

/*
 * Everything that the layer's input is projected to, in the order of the roles. In checkpoints it is one matrix; here it
 * is four, since they differ in type (dt's must be of floats, as an error of delta is one of every state's exponent) and
 * since each begins at whole panels. The bias of dt, in_proj's and the step's own, is one vector, added by the converter.
 */
static void bind_input(struct binder *b, struct layer *layer, uint32_t d_model)
{
    const struct layer_config *c = &layer->config;
    const uint32_t di = b2s6_pad16(c->d_inner), bc = bc_width(c), bias = c->projection_biases & BIAS_IN_PROJ;
    const uint32_t channels = c->d_inner + bc, taps = c->d_conv;
    struct mamba2_part *m = &layer->more.mamba2;

    take_projection(b, &layer->in_proj, ROLE_IN_PROJ, 2, c->d_inner, d_model);
    if (bias)
        layer->in_bias = b2s6_take_tensor(b, ROLE_IN_BIAS, 2, 1, di, 2 * c->d_inner);
    layer->conv_weight = b2s6_take_tensor(b, ROLE_CONV_WEIGHT, 1, taps, di + b2s6_pad16(bc), taps * channels);
    layer->conv_bias = b2s6_take_tensor(b, ROLE_CONV_BIAS, 1, 1, di + b2s6_pad16(bc), channels);
    if (c->d_mlp)
        take_projection(b, &m->in_mlp, ROLE_IN_MLP, 2, c->d_mlp, d_model);
    if (c->d_mlp && bias)
        m->mlp_bias = b2s6_take_tensor(b, ROLE_IN_MLP_BIAS, 2, 1, b2s6_pad16(c->d_mlp), 2 * c->d_mlp);
    take_projection(b, &m->in_bc, ROLE_IN_BC, 1, bc, d_model);
    if (bias)
        m->bc_bias = b2s6_take_vector(b, ROLE_IN_BC_BIAS, bc);
    b2s6_take_precise(b, &m->in_dt, ROLE_IN_DT, c->h, d_model);
    b->parameters += bias ? c->h : 0;
}

/*
 * The unit's tensors are taken here and not by b2s6_unit_bind, as they have other shapes: delta's bias is one value a head;
 * A and D are stored for every channel, and counted as trained, a value a head. No state turns, so no angle has a limit.
 */
static void mamba2_bind(struct binder *b, struct layer *layer, uint32_t d_model)
{
    const struct layer_config *c = &layer->config;
    struct mamba2_part *m = &layer->more.mamba2;
    struct unit *u = &layer->unit;

    bind_input(b, layer, d_model);
    if (c->gated_norm)
        m->norm_weight = b2s6_take_vector(b, ROLE_GATED_NORM, c->d_inner);
    u->delta_bias = b2s6_take_vector(b, ROLE_UNIT + UNIT_DELTA, c->h);
    u->a = b2s6_take_lanes(b, ROLE_UNIT + UNIT_A, c->d_inner, 1, A_PLANES_REAL, c->h);
    u->turn_limit = FLT_MAX;
    u->d = b2s6_take_tensor(b, ROLE_UNIT + UNIT_D, 1, 1, b2s6_pad16(c->d_inner), c->d_scope == D_A_HEAD ? c->h : c->d_inner);
    take_projection(b, &layer->out, ROLE_OUT, 1, d_model, c->d_inner);
    if (c->projection_biases & BIAS_OUT_PROJ)
        layer->out_bias = b2s6_take_vector(b, ROLE_OUT_BIAS, d_model);
    if (c->d_mlp)
        take_projection(b, &m->out_mlp, ROLE_OUT_MLP, 1, d_model, c->d_mlp);
}

/* The window is of all that the convolution runs over: u, padded to whole groups, then B and C of all groups of heads. */
static void mamba2_place(struct needs *needs, struct layer *layer, uint32_t d_model)
{
    const struct layer_config *c = &layer->config;
    const uint32_t di = b2s6_pad16(c->d_inner), d = b2s6_pad16(d_model);
    const struct places at = places_of(c);
    struct state_part *states = &layer->part[PART_UNIT], *window = &layer->part[PART_WINDOW];

    states->rows = 1;
    states->width = c->d_inner;
    states->planes = (uint16_t)(c->d_state * config_state_planes(c));
    window->rows = (uint16_t)(c->d_conv - 1);
    window->width = di + bc_width(c);
    window->planes = 1;
    needs->expanded = needs->expanded < at.width ? (uint32_t)at.width : needs->expanded;
    needs->u = needs->u < at.z ? (uint32_t)at.z : needs->u;
    needs->delta = needs->delta < di ? di : needs->delta;
    needs->y = needs->y < di ? di : needs->y;
    needs->projected = needs->projected < d ? d : needs->projected;
}

/* -------------------------------------------------------------------------------------------------------------- the pass */

/* On the stack of mamba2_pass; the parts of its sections read it. */
struct mamba2_context {
    const struct pass *pass;
    const struct layer *layer;
    struct places at;
    struct prepared in, in_bc, in_dt; /* the layer's input, as the three matrices read it */
};

/*
 * Items begin .. end - 1 as far as they are among the n_items from *first on, counted from there, in part; 0 if there
 * are none. *first moves on to what follows.
 */
static int clip(size_t *first, size_t n_items, size_t begin, size_t end, size_t part[2])
{
    const size_t from = *first, to = from + n_items;

    part[0] = begin < from ? 0 : begin - from;
    part[1] = end < to ? end - from : n_items;
    *first = to;
    return begin < to && end > from && part[0] < part[1];
}

/*
 * Panels panels[0] .. panels[1] - 1 of matrix number index of m, into place y of every row. All projections of a row go to
 * one wide row of work->expanded, whose stride they share: one place of the workspace, whatever of it a layer has.
 */
static void project_to(const struct mamba2_context *c, const struct matrix *m, const struct prepared *input, uint32_t index,
                       const float *bias, size_t y, const size_t panels[2])
{
    struct projection o;

    o.matrix = m;
    o.input = input;
    o.index = index;
    o.part = 0;
    o.bias = bias;
    o.y = c->pass->work->expanded + y;
    o.y_stride = c->at.width;
    b2s6_project(c->pass, &o, panels[0], panels[1]);
}

/*
 * u and bc of channel groups begin .. end - 1, stream by stream; the windows are brought up to date. Called by the part
 * that has made v and bc of these groups: nothing else is read.
 */
static void convolve(const struct mamba2_context *c, size_t begin, size_t end)
{
    const struct pass *p = c->pass;
    struct conv conv;
    size_t i;

    conv.weight = c->layer->conv_weight;
    conv.bias = c->layer->conv_bias;
    conv.v_stride = c->at.width;
    conv.n_steps = p->n_steps;
    conv.width = (uint32_t)c->at.z;
    conv.d_conv = c->layer->config.d_conv;
    conv.first_group = (uint32_t)begin;
    conv.end_group = (uint32_t)end;
    for (i = 0; i < p->n_streams; i++) {
        conv.v = p->work->expanded + i * p->n_steps * conv.v_stride;
        conv.u = p->work->u + i * p->n_steps * conv.width;
        conv.window = state_part(p->states[i], c->layer, PART_WINDOW);
        p->model->kernels->conv_silu(&conv);
    }
}

/*
 * The first section. Items: groups of v and z, then panels of bc, then panels of dt; a part's range may cover pieces of all
 * three, which clip cuts out. Each goes as far as it needs nothing of another part: v and bc through the convolution, dt
 * through the softplus. So the threads meet once for four products.
 */
static void expand(void *context, size_t begin, size_t end)
{
    const struct mamba2_context *c = context;
    const struct pass *p = c->pass;
    const struct layer *layer = c->layer;
    const struct mamba2_part *m = &layer->more.mamba2;
    const size_t di = c->at.bc, n_groups = c->at.z / B2S6_LANES;
    const float *bias = layer->in_bias;
    size_t first = 0, part[2];

    if (clip(&first, di / B2S6_LANES, begin, end, part)) {
        project_to(c, &layer->in_proj, &c->in, 0, bias, 0, part);
        project_to(c, &layer->in_proj, &c->in, 1, bias ? bias + di : NULL, c->at.z, part);
    }
    if (clip(&first, n_groups - di / B2S6_LANES, begin, end, part))
        project_to(c, &m->in_bc, &c->in_bc, 0, m->bc_bias, c->at.bc, part);
    if (begin < n_groups)
        convolve(c, begin, end < n_groups ? end : n_groups);
    if (clip(&first, b2s6_pad16(layer->config.h) / B2S6_LANES, begin, end, part)) {
        project_to(c, &m->in_dt, &c->in_dt, 0, layer->unit.delta_bias, c->at.dt, part);
        p->model->kernels->softplus(p->work->expanded + c->at.dt, pass_span(p, c->at.width, part[0], part[1]));
    }
}

/*
 * Rows begin .. end - 1 of delta: every channel has its head's, within the limits. A NaN stays one; padding has the
 * last head's.
 */
static void spread_delta(void *context, size_t begin, size_t end)
{
    const struct mamba2_context *c = context;
    const struct layer_config *g = &c->layer->config;
    const float least = b2s6_float_of(g->delta_least), most = b2s6_float_of(g->delta_most);
    const size_t di = c->at.bc, p = g->d_inner / g->h;
    size_t row, head, i;

    for (row = begin; row < end; row++) {
        const float *dt = c->pass->work->expanded + row * c->at.width + c->at.dt;
        float *delta = c->pass->work->delta + row * di;

        for (head = i = 0; head < g->h; head++) {
            const float low = dt[head] < least ? least : dt[head], value = low > most ? most : low;
            const size_t stop = head + 1 < g->h ? (head + 1) * p : di;

            for (; i < stop; i++)
                delta[i] = value;
        }
    }
}

/*
 * Rows begin .. end - 1 of y through the norm; and the gate, if it comes after. A norm needs whole rows of y, so this is a
 * section of its own, cut by rows where others are cut by channels.
 */
static void norm_rows(void *context, size_t begin, size_t end)
{
    const struct mamba2_context *c = context;
    const struct layer_config *g = &c->layer->config;
    const struct b2s6_kernels *kernels = c->pass->model->kernels;
    const size_t di = c->at.bc;
    float *y = c->pass->work->y + begin * di;
    struct span span;
    struct norm n;

    n.kind = B2S6_NORM_RMS;
    n.eps = b2s6_float_of(g->gate_eps);
    n.weight = c->layer->more.mamba2.norm_weight;
    n.bias = NULL;
    n.d = g->d_inner / g->norm_groups;
    kernels->norm_groups(&n, y, end - begin, di, g->norm_groups);
    if (g->gated_norm != GATED_NORM_BEFORE)
        return;
    span.n_rows = end - begin;
    span.stride = di;
    span.begin = 0;
    span.end = di;
    kernels->gate_silu(y, c->pass->work->expanded + begin * c->at.width + c->at.z, c->at.width, span);
}

/*
 * The recurrence, its gate and its norm: y. delta is spread over the channels first, a whole row by one part. The unit is
 * given u, delta, B and C, and has nothing to project. Where the gate comes before the norm, or there is no norm, it is
 * part of the unit's section.
 */
static B2S6_APART void recur(struct mamba2_context *c)
{
    const struct pass *p = c->pass;
    const struct layer_config *g = &c->layer->config;
    const size_t n_rows = pass_rows(p), di = c->at.bc;
    struct unit_pass u;

    b2s6_pass_section(p, spread_delta, c, n_rows, n_rows * di);
    memset(&u, 0, sizeof u);
    u.layer = c->layer;
    u.unit = &c->layer->unit;
    u.given.u_stride = u.given.bc_stride = c->at.z;
    u.given.delta = p->work->delta;
    u.given.delta_stride = di;
    u.given.bc = p->work->u + c->at.bc;
    u.given.bc_width = 2 * g->d_state;
    u.given.blocks_a_row = g->h / g->n_groups;
    u.u = p->work->u;
    u.y = p->work->y;
    u.part = PART_UNIT;
    u.after = g->gated_norm == GATED_NORM_BEFORE ? AFTER_NOTHING : AFTER_GATE;
    u.gate = p->work->expanded + c->at.z;
    u.gate_stride = c->at.width;
    b2s6_unit_pass(p, &u);
    if (g->gated_norm)
        b2s6_pass_section(p, norm_rows, c, n_rows, elementary_cost(n_rows * di));
}

/* input may be p->x itself, which the contractions add to: all that reads input comes before them. */
static void mamba2_pass(const struct pass *p, const struct layer *layer, const float *input)
{
    const struct mamba2_part *m = &layer->more.mamba2;
    const size_t d = b2s6_pad16(p->model->config.d_model), n_rows = pass_rows(p);
    struct mamba2_context c;
    struct gated mlp;

    c.pass = p;
    c.layer = layer;
    c.at = places_of(&layer->config);
    /* the MLP beside the unit: v silu(g) waits in its own place of the row until the unit's output has been added */
    if (layer->config.d_mlp) {
        mlp.in = &m->in_mlp;
        mlp.bias = m->mlp_bias;
        mlp.input = input;
        mlp.v = p->work->expanded + c.at.mlp;
        mlp.stride = c.at.width;
        b2s6_block_gated(p, &mlp);
    }
    /*
     * Each matrix may be of another type: so its input is prepared for it. Packed, or as codes, the inputs of all three
     * are the same, as they have the same columns; a later preparation writes the same bytes over an earlier one.
     */
    c.in = b2s6_prepare(p, &layer->in_proj, input, d, n_rows, 1);
    c.in_bc = b2s6_prepare(p, &m->in_bc, input, d, n_rows, 1);
    c.in_dt = b2s6_prepare(p, &m->in_dt, input, d, n_rows, 1);
    b2s6_pass_section(p, expand, &c, c.at.z / B2S6_LANES + b2s6_pad16(layer->config.h) / B2S6_LANES,
                      product_cost(&layer->in_proj, n_rows) + product_cost(&m->in_bc, n_rows) +
                          product_cost(&m->in_dt, n_rows) + elementary_cost(n_rows * c.at.z));
    recur(&c);
    b2s6_block_contract(p, &layer->out, layer->out_bias, p->work->y, c.at.bc);
    if (layer->config.d_mlp)
        b2s6_block_contract(p, &m->out_mlp, NULL, p->work->expanded + c.at.mlp, c.at.width);
}

const struct block b2s6_block_mamba2 = {
    B2S6_BLOCK_MAMBA2, mamba2_keys, sizeof mamba2_keys / sizeof mamba2_keys[0], 0, mamba2_check, mamba2_bind, mamba2_place,
    mamba2_pass, NULL
};

#endif
