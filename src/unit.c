/*
 * The selective unit: its configuration and tensors, where delta, B and C come from, and the recurrence
 * over a pass.
 *
 * A pass of a unit is two sections (pass.h), each cut among the host's threads:
 *
 *     1  project   panels of x_weight and of every block's B and C      reads u, writes rank and projected
 *     2  recur     groups of 16 channels                                reads those, writes delta, states and y
 *
 * Between them is the only point where all threads must meet: a channel's delta (of low rank) reads the
 * whole of x_weight u, and all channels of a block read the same B and C. In the second section nothing
 * leaves its 16 channels, from delta to the gate, so one part runs it from end to end without waiting for another.
 */
#include "unit.h"

#include "status.h"

/*
 * Ascending, as keys are in the file. The ranges are what a value may be by itself; b2s6_unit_check has
 * the rules between them. Sizes elsewhere rely on these bounds: n up to 4096 and four planes a state fit the
 * 16 bits of state_part.
 */
const struct key b2s6_unit_keys[UNIT_KEYS] = {
    B2S6_KEY(KEY_H, layer_config, h, 1, FORMAT_MAX_WIDTH, "h"),
    B2S6_KEY(KEY_D_STATE, layer_config, d_state, 1, FORMAT_MAX_D_STATE, "d_state"),
    B2S6_KEY(KEY_COMPLEX, layer_config, complex_state, 0, 1, "complex"),
    B2S6_KEY(KEY_A_SCOPE, layer_config, a_scope, 1, 3, "A scope"),
    B2S6_KEY(KEY_B, layer_config, b, 1, 3, "B"),
    B2S6_KEY(KEY_C, layer_config, c, 1, 2, "C"),
    B2S6_KEY(KEY_C_COMPLEX, layer_config, c_complex, 0, 1, "C complex"),
    B2S6_KEY(KEY_DELTA, layer_config, delta, 1, 3, "delta"),
    B2S6_KEY(KEY_DT_RANK, layer_config, dt_rank, 0, FORMAT_MAX_WIDTH, "dt_rank"),
    B2S6_KEY(KEY_DISCRETIZATION, layer_config, discretization, 1, 2, "discretization"),
    B2S6_KEY(KEY_CONJUGATE, layer_config, conjugate, 0, 1, "conjugate"),
    B2S6_KEY(KEY_SKIP, layer_config, skip, 0, 1, "skip"),
    B2S6_KEY(KEY_STATES, layer_config, states, 1, 2, "states"),
};

/*
 * The paper's own unit, out of the many that the keys allow: what a build without B2S6_HAS_OTHER_UNITS can
 * run.
 */
static int is_b2s6(const struct layer_config *c)
{
    return c->complex_state && c->discretization == ZERO_ORDER_HOLD && c->a_scope == B2S6_SCOPE_LAYER &&
           c->b == (B_HAS_WEIGHT | B_HAS_BIAS) && c->c == C_SELECTIVE && !c->c_complex && c->delta == B2S6_DELTA_BLOCK;
}

/*
 * Rules first (the file is wrong), then what this build leaves out (the file is right, and another build
 * runs it): a status of its own for each.
 */
const char *b2s6_unit_check(const struct layer_config *c, b2s6_status *status)
{
    /* unless it is said otherwise, the file breaks a rule of the format */
    *status = B2S6_ERROR_FORMAT;
    /* blocks are of p = d_inner / h channels each, all of them */
    if (c->d_inner % c->h != 0)
        return B2S6_WORDS("h does not divide the unit's width");
    /* Re(C x) of a real x takes a real C */
    if (c->c_complex && !c->complex_state)
        return B2S6_WORDS("a complex C needs a complex state");
    /* so that a rank of 0 stands for "no x_weight" wherever it is asked */
    if ((c->delta == B2S6_DELTA_LOWRANK) != (c->dt_rank != 0))
        return B2S6_WORDS("dt_rank goes with a low-rank delta");
    /* from here on the file is right */
    *status = B2S6_ERROR_UNSUPPORTED;
    if (!B2S6_HAS_DELTA_LOWRANK && c->delta == B2S6_DELTA_LOWRANK)
        return B2S6_WORDS("this build of the library leaves out low-rank deltas");
    if (!B2S6_HAS_REAL && !c->complex_state)
        return B2S6_WORDS("this build of the library leaves out real states");
    if (!B2S6_HAS_COMPLEX && c->complex_state)
        return B2S6_WORDS("this build of the library leaves out complex states");
    if (!B2S6_HAS_COMPENSATED && c->states == STATES_COMPENSATED)
        return B2S6_WORDS("this build of the library leaves out compensated states");
    if (!B2S6_HAS_OTHER_UNITS && !is_b2s6(c))
        return B2S6_WORDS("this build of the library leaves out all units but B2S6");
    return NULL;
}

/* ---------------------------------------------------------------------------------------------------------------- tensors */

/*
 * A of one layer is one vector of states (n, planes), read the same by all lanes. A of a block or a
 * channel is stored for each channel, since a group of 16 lanes may belong to several blocks; the
 * parameters are counted as trained, before that copying and before the third plane, which is a remainder
 * of the second.
 */
static B2S6_APART const float *take_a(struct binder *b, uint32_t role, const struct layer_config *c)
{
    const uint32_t planes = config_a_planes(c);
    const uint32_t owner = c->d_state * config_planes(c); /* weights as trained of one A */

    if (config_shares_a(c))
        return b2s6_take_tensor(b, role, 1, c->d_state, planes, owner);
    return b2s6_take_lanes(b, role, c->d_inner, c->d_state, planes,
                           owner * (c->a_scope == B2S6_SCOPE_BLOCK ? c->h : c->d_inner));
}

/*
 * 2^20 / the largest |turn| of all states, padding included: beyond 2^20 half turns a step the angle is
 * not computed, and all but undamped modes are at 0 there. A turn that is not a number counts for nothing:
 * both comparisons with it are false. It is one number for a unit, so that a step compares delta once for
 * all states of a channel.
 *
 * While a file is planned on a big-endian machine the values are still in the file's byte order; the
 * result is then wrong and not used (open.c builds again from the copy). Reading them is safe, since the
 * binder has checked where they are.
 */
static B2S6_APART float turn_limit(const float *a, const struct layer_config *c)
{
    const size_t lanes = config_shares_a(c) ? 1 : B2S6_LANES;
    const size_t groups = config_shares_a(c) ? 1 : b2s6_pad16(c->d_inner) / B2S6_LANES;
    float largest = 0.0f;
    size_t i, k;

    if (!config_is_complex(c))
        return FLT_MAX;
    for (i = 0; i < groups * c->d_state; i++)
        for (k = 0; k < lanes; k++) {
            const float turn = a[(i * A_PLANES_COMPLEX + A_TURN) * lanes + k];

            largest = turn > largest ? turn : -turn > largest ? -turn : largest;
        }
    /* 2^20 / 2^-107 is 2^127, the largest power of two that is a float */
    return largest >= 0x1p-107f ? 0x1p20f / largest : FLT_MAX; /* so that the limit is finite */
}

/*
 * Roles ascend (W, X, DT, delta, A, 1/A, BC, B bias, C, D), as the binder walks the table once. 1/A counts
 * no parameters: it follows from A. The matrices of low-rank delta must be floats (take_precise): an error
 * in delta is an error in the exponent of every state. B and C may be integers, quantised block by block.
 */
void b2s6_unit_bind(struct binder *b, uint32_t role, const struct layer_config *c, struct unit *u)
{
    const uint32_t d = c->d_inner, n = c->d_state, planes = config_planes(c), c_planes = config_c_is_complex(c) ? 2 : 1;
    const uint32_t states = n * d;

    if (config_delta(c) == B2S6_DELTA_BLOCK)
        u->step.w = b2s6_take_vector(b, role + UNIT_W, d);
    if (B2S6_HAS_DELTA_LOWRANK && c->delta == B2S6_DELTA_LOWRANK) {
        b2s6_take_precise(b, &u->step.low.x, role + UNIT_X, c->dt_rank, d);
        b2s6_take_precise(b, &u->step.low.dt, role + UNIT_DT, d, c->dt_rank);
    }
    u->delta_bias = b2s6_take_vector(b, role + UNIT_DELTA, d);
    u->a = take_a(b, role + UNIT_A, c);
    /* NULL after a failure of the binder, which its caller finds; nothing is read then */
    u->turn_limit = u->a ? turn_limit(u->a, c) : FLT_MAX;
    if (config_has_a_inverse(c))
        u->a_inverse = b2s6_take_lanes(b, role + UNIT_A_INVERSE, d, n, planes, 0);
    /*
     * h matrices of (bc rows) x p; each block is a part of the prepared rows, with codes and a scale of
     * its own
     */
    if (config_bc_rows(c)) {
        b2s6_take_matrix(b, &u->bc, role + UNIT_BC, c->h, config_bc_rows(c), d / c->h);
        b2s6_need_prepared(b, &u->bc, c->h);
    }
    if (config_b(c) & B_HAS_BIAS)
        u->b_bias = b2s6_take_lanes(b, role + UNIT_B_BIAS, d, n, planes, states * planes);
    if (config_c(c) == C_CONSTANT)
        u->c = b2s6_take_lanes(b, role + UNIT_C, d, n, c_planes, states * c_planes);
    if (c->skip)
        u->d = b2s6_take_vector(b, role + UNIT_D, d);
}

/*
 * Floats from one block's rows of B and C to the next's: whole panels. At most 4 planes of 4096 states,
 * 2^14.
 */
static uint32_t bc_width(const struct layer_config *c)
{
    return b2s6_pad16(config_bc_rows(c));
}

/*
 * h times bc_width is at most 2^16 times 2^14: no product here wraps 32 bits. A unit that is given delta
 * or B and C by its block needs less; the room is counted all the same.
 */
void b2s6_unit_place(struct needs *needs, const struct layer_config *c, struct state_part *states)
{
    const uint32_t di = b2s6_pad16(c->d_inner), rank = b2s6_pad16(c->dt_rank), bc = c->h * bc_width(c);

    needs->delta = needs->delta < di ? di : needs->delta;
    needs->y = needs->y < di ? di : needs->y;
    needs->rank = needs->rank < rank ? rank : needs->rank;
    needs->projected = needs->projected < bc ? bc : needs->projected;
    /* a state is re and im as far as there are, each with its remainder if compensated: up to 4 planes */
    states->rows = 1;
    states->width = c->d_inner;
    states->planes = (uint16_t)(c->d_state * config_state_planes(c));
}

/* -------------------------------------------------------------------------------------------------------------- the pass */

/*
 * Both sections of a unit see this. It is on the stack of b2s6_unit_pass and read by all threads; nobody
 * writes it while a section runs.
 */
struct unit_context {
    const struct pass *pass;
    const struct unit_pass *unit;
    const struct layer_config *config;
    struct prepared blocks;  /* u, as the blocks' B and C read it */
    struct prepared low;     /* u, as x_weight reads it; in the second section x_weight u, as dt_weight reads it */
    size_t di;               /* pad16(d_inner) */
};

/* Whether a block hands the unit its delta, or its B and C. Those of mamba2 do; every other unit makes its own. */
static int has_given_delta(const struct unit_context *c)
{
    return B2S6_HAS_MAMBA2 && c->unit->given.delta;
}

static int has_given_bc(const struct unit_context *c)
{
    return B2S6_HAS_MAMBA2 && c->unit->given.bc;
}

/*
 * Panels of x_weight, the first of the two products of a low-rank delta. 0 for every other delta: its
 * dt_rank is 0. In a build without low-rank deltas it is the constant 0, and all that depends on it goes.
 */
static size_t rank_panels(const struct unit_context *c)
{
    return B2S6_HAS_DELTA_LOWRANK && !has_given_delta(c) ? b2s6_pad16(c->config->dt_rank) / B2S6_LANES : 0;
}

/*
 * Whether the unit makes B and C: it has a matrix for them, and its block has not brought them. Constant
 * ones need none.
 */
static int has_own_bc(const struct unit_context *c)
{
    return (!B2S6_HAS_OTHER_UNITS || c->unit->unit->bc.data) && !has_given_bc(c);
}

/*
 * Items of the first section: panels of x_weight first, then those of every block's B and C, block after
 * block. One list of items for both products, so that one section and one meeting of threads do for both.
 */
static size_t projection_panels(const struct unit_context *c)
{
    const struct matrix *bc = &c->unit->unit->bc;

    return rank_panels(c) + (has_own_bc(c) ? (size_t)bc->count * b2s6_pad16(bc->rows) / B2S6_LANES : 0);
}

/*
 * Panels begin .. end - 1 of block j's matrix times its own p channels. No bias: that of B belongs to
 * channels and is added by the scan. Rows of the result are (h, bc width), so that a block's B and C are
 * together.
 */
static void project_block(const struct unit_context *c, uint32_t j, size_t begin, size_t end)
{
    const uint32_t width = bc_width(c->config);
    struct projection o;

    o.matrix = &c->unit->unit->bc;
    o.input = &c->blocks;
    o.index = o.part = j;
    o.bias = NULL;
    o.y = c->pass->work->projected + (size_t)j * width;
    o.y_stride = (size_t)o.matrix->count * width;
    b2s6_project(c->pass, &o, begin, end);
}

/*
 * The first section: what is a product of the whole input row, or of a block's. Items begin .. end - 1 are
 * cut where the matrix changes, first after x_weight, then after each block:
 *
 *     items    0 .. n_rank - 1   n_rank ..                  ...
 *     matrix   x_weight          bc of block 0 | block 1 | block 2 ...   block_panels each
 */
static void project(void *context, size_t begin, size_t end)
{
    const struct unit_context *c = context;
    const size_t n_rank = rank_panels(c), block_panels = bc_width(c->config) / B2S6_LANES;
    size_t at, stop;
    struct projection o;

    if (begin < n_rank) {
        o.matrix = &c->unit->unit->step.low.x;
        o.input = &c->low;
        o.index = o.part = 0;
        o.bias = NULL;
        o.y = c->pass->work->rank;
        o.y_stride = n_rank * B2S6_LANES;
        b2s6_project(c->pass, &o, begin, end < n_rank ? end : n_rank);
        begin = n_rank;
    }
    /*
     * at is the first panel not yet done; a turn ends with its block or with the range, whichever is
     * nearer
     */
    for (at = begin; at < end; at = stop) {
        /* block_panels is at least 1 here: without B and C of its own a unit has no items after x_weight's */
        const size_t block = (at - n_rank) / block_panels, first = (at - n_rank) % block_panels;

        stop = at + (block_panels - first) < end ? at + (block_panels - first) : end;
        project_block(c, (uint32_t)block, first, first + (stop - at));
    }
}

/*
 * An input of the recurrence that differs from unit to unit: its first row, and floats to the next. A
 * stride of 0 gives every step the same row.
 */
struct rows {
    const float *at;
    size_t stride;
};

/*
 * delta of groups begin .. end - 1, for all rows of the pass: brought by the block, softplus(w_j . u_j +
 * b), softplus(dt_weight (x_weight u) + b), or constant. Constant steps stay in the file and are read with
 * stride 0. A block's dot product is over its p channels, which may begin and end in other groups: it is
 * then formed once by each part that needs it, from input that nobody writes, with the same bits.
 */
static B2S6_APART struct rows find_delta(const struct unit_context *c, size_t begin, size_t end)
{
    const struct pass *p = c->pass;
    const struct unit *u = c->unit->unit;
    const struct span span = pass_span(p, c->di, begin, end);
    struct rows delta = { p->work->delta, c->di };
    struct delta_block block;
    struct projection o;

    if (has_given_delta(c)) {
        delta.at = c->unit->given.delta;
        delta.stride = c->unit->given.delta_stride;
    } else if (config_delta(c->config) == B2S6_DELTA_BLOCK) {
        block.w = u->step.w;
        block.bias = u->delta_bias;
        block.x = c->unit->u;
        block.delta = p->work->delta;
        block.d = c->config->d_inner;
        block.p = c->config->d_inner / c->config->h;
        p->model->kernels->delta_block(&block, span);
    } else if (B2S6_HAS_DELTA_LOWRANK && c->config->delta == B2S6_DELTA_LOWRANK) {
        /* the second product of the two; the first section has made its input, x_weight u */
        o.matrix = &u->step.low.dt;
        o.input = &c->low;
        o.index = o.part = 0;
        o.bias = u->delta_bias;
        o.y = p->work->delta;
        o.y_stride = c->di;
        b2s6_project(p, &o, begin, end);
        p->model->kernels->softplus(p->work->delta, span);
    } else {
        /* for every row of the pass the same row of the file, which has the steps themselves */
        delta.at = u->delta_bias;
        delta.stride = 0;
    }
    return delta;
}

/*
 * The configuration as the scan's settings. All members are set, since tables of scans compare kinds as
 * memory; each is 0 or 1 but a. A of a block or of a channel are one case here: both are stored for every
 * channel, as lanes.
 */
static struct scan_kind kind_of(const struct layer_config *c)
{
    struct scan_kind kind;

    /* from the constants of a build with one kind only, so that the compiler drops the other's scan */
    memset(&kind, 0, sizeof kind);
    kind.compensated = (uint8_t)config_is_compensated(c);
    if (!B2S6_HAS_OTHER_UNITS)
        return kind; /* the kernel knows the rest */
    kind.is_complex = (uint8_t)config_is_complex(c);
    kind.hold = c->discretization == ZERO_ORDER_HOLD;
    kind.a = config_shares_a(c) ? SCAN_A_SHARED : config_a_is_scalar(c) ? SCAN_A_SCALAR : SCAN_A_LANES;
    kind.delta_constant = c->delta == B2S6_DELTA_CONSTANT;
    kind.b_weight = (c->b & B_HAS_WEIGHT) != 0;
    kind.b_bias = (c->b & B_HAS_BIAS) != 0;
    kind.c_selective = c->c == C_SELECTIVE;
    kind.c_complex = c->c_complex != 0;
    kind.b_over_a = (uint8_t)config_has_a_inverse(c);
    return kind;
}

/*
 * What of a scan is the same for all streams. A delta that the block brings differs from step to step,
 * whatever the configuration says. scale is the s of y = s Re(C x): states that stand for conjugate pairs
 * count twice.
 */
static void begin_scan(struct scan *s, const struct unit_context *c, size_t begin, size_t end)
{
    const struct unit *u = c->unit->unit;
    const struct layer_config *g = c->config;

    s->kind = kind_of(g);
    if (has_given_delta(c))
        s->kind.delta_constant = 0;
    s->n = g->d_state;
    s->d = g->d_inner;
    s->p = g->d_inner / g->h;
    s->scale = g->conjugate ? 2.0f : 1.0f;
    s->turn_limit = u->turn_limit;
    s->a = u->a;
    s->a_inverse = u->a_inverse;
    s->b_bias = u->b_bias;
    s->c = u->c;
    s->skip = u->d;
    s->n_steps = c->pass->n_steps;
    s->bc_width = has_given_bc(c) ? c->unit->given.bc_width : bc_width(g);
    s->blocks_a_row = has_given_bc(c) ? c->unit->given.blocks_a_row : 1;
    s->first_group = (uint32_t)begin;
    s->end_group = (uint32_t)end;
}

/*
 * The recurrence of one stream through its rows; backwards from the last row, with all strides negative.
 * Rows are stream-major, so a stream's are n_steps together. Pointers to rows of constant delta do not
 * move: its stride is 0.
 */
static void scan_stream(struct scan *s, const struct unit_context *c, struct rows delta, struct rows bc, size_t stream)
{
    const struct pass *p = c->pass;
    const struct unit_pass *u = c->unit;
    /* the row that the walk begins with */
    const int backwards = B2S6_HAS_BIDIRECTIONAL && u->backwards;
    const size_t row = stream * p->n_steps + (backwards ? p->n_steps - 1 : 0);
    const size_t u_stride = B2S6_HAS_MAMBA2 && u->given.u_stride ? u->given.u_stride : c->di;
    const ptrdiff_t sign = backwards ? -1 : 1;

    s->u = u->u + row * u_stride;
    s->delta = delta.at + row * delta.stride;
    s->bc = bc.at ? bc.at + row * bc.stride : NULL;
    s->y = u->y + row * c->di;
    /* x is moved in place: after the last row it is the state of the stream */
    s->x = state_part(p->states[stream], u->layer, u->part);
    s->u_stride = sign * (ptrdiff_t)u_stride;
    s->y_stride = sign * (ptrdiff_t)c->di;
    s->delta_stride = sign * (ptrdiff_t)delta.stride;
    s->bc_stride = sign * (ptrdiff_t)bc.stride;
    p->model->kernels->scan(s);
}

/*
 * The recurrence of every stream, one after another: states belong to streams. Beside the convolution and
 * the pooling it is the only place where it matters whose row is whose. Apart, so that its operands are
 * not on the stack while delta is made.
 */
static B2S6_APART void scan_streams(const struct unit_context *c, struct rows delta, size_t begin, size_t end)
{
    const struct pass *p = c->pass;
    const struct unit_pass *u = c->unit;
    struct rows bc = { NULL, 0 };
    struct scan s;
    size_t i;

    if (has_given_bc(c)) {
        bc.at = u->given.bc;
        bc.stride = u->given.bc_stride;
    } else if (has_own_bc(c)) {
        bc.at = p->work->projected;
        bc.stride = (size_t)c->config->h * bc_width(c->config);
    }
    begin_scan(&s, c, begin, end);
    for (i = 0; i < p->n_streams; i++)
        scan_stream(&s, c, delta, bc, i);
}

/*
 * The second section: everything that stays within its channels: delta, the recurrence, and the
 * function that follows.
 */
static void recur(void *context, size_t begin, size_t end)
{
    const struct unit_context *c = context;
    const struct pass *p = c->pass;
    const struct unit_pass *u = c->unit;
    const struct span span = pass_span(p, c->di, begin, end);

    scan_streams(c, find_delta(c, begin, end), begin, end);
    if (B2S6_HAS_S4 && u->after == AFTER_GELU)
        p->model->kernels->gelu(u->y, span);
    if ((B2S6_HAS_MAMBA || B2S6_HAS_MAMBA2) && u->after == AFTER_GATE)
        p->model->kernels->gate_silu(u->y, u->gate, u->gate_stride, span);
}

/*
 * cost (pass.h) of n updates of a state: a complex one takes an exponential, a sine and a cosine, a real
 * one an exponential. Both are counted in multiply-adds; they only decide how many threads are worth
 * waking.
 */
static size_t update_cost(const struct layer_config *c, size_t n)
{
    return n * (config_is_complex(c) ? 48 : 24);
}

/*
 * Input is prepared before each section that multiplies. For the second c.low is prepared anew, from x_weight u;
 * c.blocks is no longer read there.
 */
void b2s6_unit_pass(const struct pass *p, const struct unit_pass *u)
{
    const struct unit *w = u->unit;
    const size_t n_rows = pass_rows(p);
    struct unit_context c;
    size_t panels;
    size_t cost;

    c.pass = p;
    c.unit = u;
    c.config = &u->layer->config;
    c.di = b2s6_pad16(c.config->d_inner);
    /* floats and codes have places of their own in the workspace, so both can be held at once */
    if (rank_panels(&c)) /* packed, x_weight's input and bc's are the same */
        c.low = b2s6_prepare(p, &w->step.low.x, u->u, c.di, n_rows, 1);
    if (has_own_bc(&c))
        c.blocks = b2s6_prepare(p, &w->bc, u->u, c.di, n_rows, w->bc.count);
    panels = projection_panels(&c);
    cost = (has_own_bc(&c) ? product_cost(&w->bc, n_rows) : 0) + (rank_panels(&c) ? product_cost(&w->step.low.x, n_rows) : 0);
    /* S4D has neither: constant delta, B and C, so there is nothing to project */
    if (panels)
        b2s6_pass_section(p, project, &c, panels, cost);
    cost = elementary_cost(n_rows * 2 * c.di) + update_cost(c.config, n_rows * c.di * c.config->d_state);
    if (rank_panels(&c)) {
        c.low = b2s6_prepare(p, &w->step.low.dt, p->work->rank, b2s6_pad16(c.config->dt_rank), n_rows, 1);
        cost += product_cost(&w->step.low.dt, n_rows);
    }
    b2s6_pass_section(p, recur, &c, c.di / B2S6_LANES, cost);
}
