/* The selective unit: where delta, B and C come from. The recurrence itself is a kernel. */
#include "pass.h"

/* Both sections of a unit see this. */
struct unit_context {
    const struct pass *pass;
    const struct unit_pass *unit;
};

static size_t rank_panels(const struct pass *p)
{
    return B2S6_HAS_DELTA_LOWRANK ? b2s6_pad16(p->model->config.dt_rank) / B2S6_LANES : 0;
}

/* Panels of x_weight first, then those of every block's B and C. */
static size_t projection_panels(const struct pass *p, const struct unit *u)
{
    return rank_panels(p) +
           (u->bc.data ? (size_t)u->bc.count * b2s6_pad16(u->bc.rows) / B2S6_LANES : 0);
}

/* Block j's matrix times its own p channels: bc (rows, h, bc_width). */
static void project_block(const struct unit_context *c, uint32_t j, size_t begin, size_t end)
{
    const struct work *w = c->pass->work;
    struct operand o;

    o.matrix = &c->unit->unit->bc;
    o.index = o.part = j;
    o.n_parts = o.matrix->count;
    o.n_rows = pass_rows(c->pass);
    o.bias = NULL;
    o.x = c->unit->u + (size_t)j * o.matrix->cols;
    o.y = w->bc + (size_t)j * w->bc_width;
    o.x_stride = w->di;
    o.y_stride = (size_t)o.matrix->count * w->bc_width;
    b2s6_pass_product(c->pass, &o, begin, end);
}

/* The first section: what is a product of the whole input row, or of a block's. */
static void project(void *context, size_t begin, size_t end)
{
    const struct unit_context *c = context;
    const struct work *w = c->pass->work;
    const size_t n_rank = rank_panels(c->pass);
    const size_t block_panels = w->bc_width / B2S6_LANES;
    size_t at, stop;
    struct operand o;

    if (begin < n_rank) {
        o.matrix = &c->unit->unit->x_weight;
        o.index = o.part = 0;
        o.n_parts = 1;
        o.n_rows = pass_rows(c->pass);
        o.bias = NULL;
        o.x = c->unit->u;
        o.y = w->rank;
        o.x_stride = w->di;
        o.y_stride = n_rank * B2S6_LANES;
        b2s6_pass_product(c->pass, &o, begin, end < n_rank ? end : n_rank);
        begin = n_rank;
    }
    for (at = begin; at < end; at = stop) {
        const size_t block = (at - n_rank) / block_panels, first = (at - n_rank) % block_panels;

        stop = at + (block_panels - first) < end ? at + (block_panels - first) : end;
        project_block(c, (uint32_t)block, first, first + (stop - at));
    }
}

/* delta of groups begin .. end - 1; constant steps stay in the file. Returns where they lie and their stride. */
static B2S6_APART const float *find_delta(const struct unit_context *c, size_t begin, size_t end, ptrdiff_t *stride)
{
    const struct pass *p = c->pass;
    const struct config *g = &p->model->config;
    const struct unit *u = c->unit->unit;
    const struct work *w = p->work;
    const struct span span = pass_span(p, w->di, begin, end);
    struct operand o;

    *stride = (ptrdiff_t)w->di;
    switch (g->delta) {
    case B2S6_DELTA_BLOCK:
        p->model->kernels->delta_block(g, u, c->unit->u, w->delta, span);
        return w->delta;
    case B2S6_DELTA_LOWRANK:
        if (!B2S6_HAS_DELTA_LOWRANK)
            break;
        o.matrix = &u->dt_weight;
        o.index = o.part = 0;
        o.n_parts = 1;
        o.n_rows = pass_rows(p);
        o.bias = u->delta_bias;
        o.x = w->rank;
        o.y = w->delta;
        o.x_stride = b2s6_pad16(g->dt_rank);
        o.y_stride = w->di;
        b2s6_pass_product(p, &o, begin, end);
        p->model->kernels->softplus(w->delta, span);
        return w->delta;
    default:
        break;
    }
    *stride = 0;
    return u->delta_bias;
}

/* The recurrence of one stream through its rows, groups begin .. end - 1; backwards from the last row. */
static void scan_stream(const struct unit_context *c, const float *delta, ptrdiff_t delta_stride, size_t begin, size_t end,
                        size_t stream)
{
    const struct pass *p = c->pass;
    const struct unit_pass *u = c->unit;
    const struct work *w = p->work;
    const ptrdiff_t row = (ptrdiff_t)(stream * p->n_steps + (u->backwards ? p->n_steps - 1 : 0));
    const ptrdiff_t di = (ptrdiff_t)w->di, bc_row = (ptrdiff_t)((size_t)p->model->config.h * w->bc_width);
    struct scan s;

    s.config = &p->model->config;
    s.unit = u->unit;
    s.u = u->u + row * di;
    s.delta = delta + row * delta_stride;
    s.bc = u->unit->bc.data ? w->bc + row * bc_row : NULL;
    s.y = u->y + row * di;
    s.x = b2s6_state_unit(p->states[stream], u->slot);
    s.u_stride = s.y_stride = u->backwards ? -di : di;
    s.delta_stride = u->backwards ? -delta_stride : delta_stride;
    s.bc_stride = u->backwards ? -bc_row : bc_row;
    s.n_steps = p->n_steps;
    s.bc_width = w->bc_width;
    s.first_group = (uint32_t)begin;
    s.end_group = (uint32_t)end;
    p->model->kernels->scan(&s);
}

/* The second section: everything that stays within its channels. */
static void recur(void *context, size_t begin, size_t end)
{
    const struct unit_context *c = context;
    const struct pass *p = c->pass;
    const struct unit_pass *u = c->unit;
    const struct span span = pass_span(p, p->work->di, begin, end);
    ptrdiff_t delta_stride;
    const float *delta = find_delta(c, begin, end, &delta_stride);
    size_t i;

    for (i = 0; i < p->n_streams; i++)
        scan_stream(c, delta, delta_stride, begin, end, i);
    if (B2S6_HAS_S4 && u->after == AFTER_GELU)
        p->model->kernels->gelu(u->y, span);
    if (B2S6_HAS_MAMBA && u->after == AFTER_GATE)
        p->model->kernels->gate_silu(u->y, u->gate, u->gate_stride, span);
}

void b2s6_unit_pass(const struct pass *p, const struct unit_pass *u)
{
    const size_t panels = projection_panels(p, u->unit);
    struct unit_context c;

    c.pass = p;
    c.unit = u;
    if (rank_panels(p)) /* packed, x_weight's input and bc's are the same */
        b2s6_pass_prepare(p, &u->unit->x_weight, u->u, p->work->di, pass_rows(p), 1);
    if (u->unit->bc.data)
        b2s6_pass_prepare(p, &u->unit->bc, u->u, p->work->di, pass_rows(p), u->unit->bc.count);
    if (panels)
        b2s6_pass_section(p, project, &c, panels);
    if (rank_panels(p))
        b2s6_pass_prepare(p, &u->unit->dt_weight, p->work->rank, b2s6_pad16(p->model->config.dt_rank), pass_rows(p), 1);
    b2s6_pass_section(p, recur, &c, p->work->di / B2S6_LANES);
}
