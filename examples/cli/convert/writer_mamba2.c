/*
 * writer_mamba2.c - the tensors of a mamba2 layer: in_proj cut into what a step makes of it, each group's B and C together
 *
 * In the checkpoint in_proj's rows are z0, x0, z, x, all groups' B, all groups' C, delta. In the file x and z are one tensor,
 * x0 and z0 another, each group's B and C a third, delta a fourth.
 */
#include <stdio.h>

#include "writer.h"

/* Where pieces begin among in_proj's rows; and the sizes that say so. */
typedef struct rows {
    size_t d, m, n, groups, h;         /* d_inner, d_mlp, d_state, n_groups, heads */
    size_t x0, z, x, b, c, dt;         /* z0 is at 0 */
} rows;

static rows rows_of(const checkpoint_layer_config *c)
{
    rows r = { c->d_inner, c->d_mlp, c->d_state, c->n_groups, c->h, 0, 0, 0, 0, 0, 0 };
    r.x0 = r.m;
    r.z = r.x0 + r.m;
    r.x = r.z + r.d;
    r.b = r.x + r.d;
    r.c = r.b + r.groups * r.n;
    r.dt = r.c + r.groups * r.n;
    return r;
}

/* Rows and columns of a tensor as one or two matrices. */
typedef struct piece {
    const tensor *t;
    size_t first[2];  /* row that matrix i begins at */
    size_t column;    /* the first */
    size_t n;         /* 0; or first has B and C, which take turns every n rows */
} piece;

static size_t row_of(const piece *p, size_t i, size_t r)
{
    if (p->n > 0)
        return p->first[r / p->n % 2] + r / (2 * p->n) * p->n + r % p->n;
    return p->first[i] + r;
}

static double piece_at(const void *context, size_t i, size_t r, size_t k)
{
    const piece *p = context;
    return tensor_at(p->t, row_of(p, i, r), p->column + k, 0, 0);
}

static void piece_origin(const void *context, size_t i, size_t r, size_t k, char *text, size_t size)
{
    const piece *p = context;
    snprintf(text, size, "tensor %.80s: the value %g at [%zu, %zu]", p->t->name, piece_at(context, i, r, k), row_of(p, i, r),
             p->column + k);
}

static void put_piece(writer *w, uint32_t role, const matrix_type *type, const piece *p, size_t count, size_t n_rows,
                      size_t n_cols)
{
    matrix_source source = { p->t->name, count, n_rows, n_cols, piece_at, p, piece_origin };
    writer_matrix(w, role, type, &source);
}

/* The same rows of a bias: count vectors of n values. */
static void put_bias(writer *w, uint32_t role, const tensor *t, const piece *p, size_t count, size_t n)
{
    unsigned char *place = writer_place_plain(w, t->name, role, count, 1, pad16(n));
    for (size_t i = 0; place && i < count * n; i++)
        writer_store(w, place, i / n * pad16(n) + i % n, tensor_at(t, row_of(p, i / n, i % n), 0, 0, 0));
}

/* Lane of channel i of the convolution, which is x, then B and C as in their own tensor; *row: of the checkpoint. */
static size_t channel_lane(const rows *r, size_t i, size_t *row)
{
    const piece bc = { NULL, { r->d, r->d + r->groups * r->n }, 0, r->n };
    *row = i < r->d ? i : row_of(&bc, 0, i - r->d);
    return i < r->d ? i : pad16(r->d) + i - r->d;
}

static void put_conv(writer *w, const checkpoint_layer *layer, const rows *r)
{
    const size_t taps = layer->config.d_conv, bc = 2 * r->groups * r->n, width = pad16(r->d) + pad16(bc);
    const tensor *t = &layer->conv_weight, *bias = &layer->conv_bias;
    unsigned char *place = writer_place_plain(w, t->name, ROLE_CONV_WEIGHT, 1, taps, width);
    size_t row;
    for (size_t i = 0; place && i < r->d + bc; i++) {
        const size_t lane = channel_lane(r, i, &row);
        for (size_t k = 0; k < taps; k++)
            writer_store(w, place, k * width + lane, tensor_at(t, row, k, 0, 0));
    }
    place = writer_place_plain(w, bias->data ? bias->name : "conv bias", ROLE_CONV_BIAS, 1, 1, width);
    for (size_t i = 0; place && bias->data && i < r->d + bc; i++) {
        const size_t lane = channel_lane(r, i, &row);
        writer_store(w, place, lane, tensor_at(bias, row, 0, 0, 0));
    }
}

/* All that the layer's input is projected to. */
static void put_input(writer *w, const checkpoint_layer *layer, const rows *r)
{
    const checkpoint_layer_config *c = &layer->config;
    const tensor *t = &layer->in_proj, *bias = c->in_proj_bias ? &layer->in_proj_bias : NULL;
    const piece xz = { t, { r->x, r->z }, 0, 0 }, mlp = { t, { r->x0, 0 }, 0, 0 }, bc = { t, { r->b, r->c }, 0, r->n };
    const piece dt = { t, { r->dt, 0 }, 0, 0 };
    const size_t d_model = w->ck->config.d_model, n_bc = 2 * r->groups * r->n;
    put_piece(w, ROLE_IN_PROJ, w->types->projections, &xz, 2, r->d, d_model);
    if (bias)
        put_bias(w, ROLE_IN_BIAS, bias, &xz, 2, r->d);
    put_conv(w, layer, r);
    if (r->m > 0)
        put_piece(w, ROLE_IN_MLP, w->types->projections, &mlp, 2, r->m, d_model);
    if (r->m > 0 && bias)
        put_bias(w, ROLE_IN_MLP_BIAS, bias, &mlp, 2, r->m);
    put_piece(w, ROLE_IN_BC, w->types->b_and_c, &bc, 1, n_bc, d_model);
    if (bias)
        put_bias(w, ROLE_IN_BC_BIAS, bias, &bc, 1, n_bc);
    put_piece(w, ROLE_IN_DT, &matrix_f32, &dt, 1, r->h, d_model);
}

/* dt_bias and what in_proj adds to delta, as one. */
static void put_delta_bias(writer *w, const checkpoint_layer *layer, const rows *r)
{
    const tensor *t = &layer->unit.b, *more = &layer->in_proj_bias;
    unsigned char *place = writer_place_plain(w, t->name, ROLE_UNIT + UNIT_DELTA, 1, 1, pad16(r->h));
    for (size_t i = 0; place && i < r->h; i++)
        writer_store(w, place, i, tensor_at(t, i, 0, 0, 0) +
                                      (layer->config.in_proj_bias ? tensor_at(more, r->dt + i, 0, 0, 0) : 0));
}

/* D of every channel. */
static void put_skip(writer *w, const checkpoint_layer *layer, const rows *r)
{
    const tensor *t = &layer->unit.d;
    const size_t p = layer->config.d_channels ? 1 : r->d / r->h;
    unsigned char *place = writer_place_plain(w, t->name, ROLE_UNIT + UNIT_D, 1, 1, pad16(r->d));
    for (size_t i = 0; place && i < r->d; i++)
        writer_store(w, place, i, tensor_at(t, i / p, 0, 0, 0));
}

void writer_mamba2(writer *w, const checkpoint_layer *layer)
{
    const checkpoint_layer_config *c = &layer->config;
    const rows r = rows_of(c);
    const piece out = { &layer->out, { 0, 0 }, r.m, 0 }, out_mlp = { &layer->out, { 0, 0 }, 0, 0 };
    const size_t d_model = w->ck->config.d_model;
    put_input(w, layer, &r);
    if (c->gated_norm)
        writer_vector(w, ROLE_GATED_NORM, &layer->gated_norm, 1, r.d);
    put_delta_bias(w, layer, &r);
    writer_unit_scalar_a(w, ROLE_UNIT, c, &layer->unit);
    put_skip(w, layer, &r);
    put_piece(w, ROLE_OUT, w->types->projections, &out, 1, d_model, r.d);
    if (c->out_proj_bias)
        writer_vector(w, ROLE_OUT_BIAS, &layer->out_bias, 1, d_model);
    if (r.m > 0)
        put_piece(w, ROLE_OUT_MLP, w->types->projections, &out_mlp, 1, d_model, r.m);
}
