/* The selective unit: where delta, B and C come from. The recurrence itself is a kernel. */
#include "forward.h"
#include "kernels.h"

void b2s6_multiply(const struct b2s6_model *model, const struct matrix *m, uint32_t index, const float *bias,
                   const float *x, size_t x_stride, float *y, size_t y_stride, size_t n_rows)
{
    const uint32_t padded = b2s6_pad16(m->rows);
    struct product p;

    p.weight = (const float *)m->data + (size_t)index * padded * m->cols;
    p.bias = bias;
    p.x = x;
    p.y = y;
    p.x_stride = x_stride;
    p.y_stride = y_stride;
    p.n_rows = n_rows;
    p.k = m->cols;
    p.n_out = padded;
    p.first_panel = 0;
    p.end_panel = padded / B2S6_LANES;
    model->kernels->product(&p);
}

/* delta (n_rows, pad16(d_inner)); constant steps stay in the file. Returns where they lie and their stride in *stride. */
static const float *find_delta(const struct b2s6_model *model, const struct unit *unit, struct work *w, const float *u,
                               size_t n_rows, ptrdiff_t *stride)
{
    const struct config *c = &model->config;
    const struct b2s6_kernels *k = model->kernels;
    const size_t rank = b2s6_pad16(c->dt_rank);

    *stride = (ptrdiff_t)w->di;
    switch (c->delta) {
    case B2S6_DELTA_BLOCK:
        k->delta_block(c, unit, u, w->delta, n_rows, w->di);
        return w->delta;
    case B2S6_DELTA_LOWRANK:
        b2s6_multiply(model, &unit->x_weight, 0, NULL, u, w->di, w->rank, rank, n_rows);
        b2s6_multiply(model, &unit->dt_weight, 0, unit->delta_bias, w->rank, rank, w->delta, w->di, n_rows);
        k->softplus(w->delta, n_rows * w->di);
        return w->delta;
    default:
        *stride = 0;
        return unit->delta_bias;
    }
}

/* bc (n_rows, h, bc_width): each block's own matrix times its own p channels. */
static void find_bc(const struct b2s6_model *model, const struct unit *unit, struct work *w, const float *u, size_t n_rows)
{
    const struct config *c = &model->config;
    const uint32_t p = c->d_inner / c->h;
    uint32_t j;

    for (j = 0; j < c->h; j++)
        b2s6_multiply(model, &unit->bc, j, NULL, u + (size_t)j * p, w->di, w->bc + (size_t)j * w->bc_width,
                      (size_t)c->h * w->bc_width, n_rows);
}

void b2s6_unit_run(const struct b2s6_model *model, const struct unit *unit, struct work *w, const float *u, float *y,
                   float *x, size_t n_rows, int direction)
{
    const struct config *c = &model->config;
    const size_t bc_row = (size_t)c->h * w->bc_width, last = n_rows - 1;
    struct scan s;

    s.config = c;
    s.unit = unit;
    s.delta = find_delta(model, unit, w, u, n_rows, &s.delta_stride);
    if (unit->bc.data)
        find_bc(model, unit, w, u, n_rows);
    s.u = u;
    s.bc = unit->bc.data ? w->bc : NULL;
    s.y = y;
    s.x = x;
    s.u_stride = s.y_stride = (ptrdiff_t)w->di;
    s.bc_stride = (ptrdiff_t)bc_row;
    s.bc_width = w->bc_width;
    s.n_steps = n_rows;
    s.first_group = 0;
    s.end_group = w->di / B2S6_LANES;
    if (direction) {
        s.u += last * w->di;
        s.y += last * w->di;
        s.delta += s.delta_stride ? last * w->di : 0;
        s.bc = s.bc ? s.bc + last * bc_row : NULL;
        s.u_stride = -s.u_stride;
        s.y_stride = -s.y_stride;
        s.delta_stride = -s.delta_stride;
        s.bc_stride = -s.bc_stride;
    }
    model->kernels->scan(&s);
}
