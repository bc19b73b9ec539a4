#include "pass.h"

/* A section on its way through the host's threads: task i does the i-th of n_parts ranges. */
struct cut {
    void (*section)(void *context, size_t begin, size_t end);
    void *context;
    size_t n_items, n_parts;
};

static void run_part(void *context, size_t index)
{
    const struct cut *cut = context;
    const size_t whole = cut->n_items / cut->n_parts, rest = cut->n_items % cut->n_parts;
    const size_t begin = index * whole + (index < rest ? index : rest);

    cut->section(cut->context, begin, begin + whole + (index < rest));
}

void b2s6_pass_section(const struct pass *p, void (*section)(void *context, size_t begin, size_t end), void *context,
                       size_t n_items)
{
    struct cut cut;

    cut.section = section;
    cut.context = context;
    cut.n_items = n_items;
    cut.n_parts = p->parallel && p->parallel->n_tasks < n_items ? p->parallel->n_tasks : n_items;
    if (!p->parallel || cut.n_parts < 2)
        section(context, 0, n_items);
    else
        p->parallel->run(p->parallel->user, cut.n_parts, run_part, &cut);
}

void b2s6_pass_product(const struct pass *p, const struct operand *o, size_t begin, size_t end)
{
    const struct matrix *m = o->matrix;
    struct product product;

    product.weight = (const float *)m->data + (size_t)o->index * b2s6_pad16(m->rows) * m->cols;
    product.bias = o->bias;
    product.x = o->x;
    product.y = o->y;
    product.x_stride = o->x_stride;
    product.y_stride = o->y_stride;
    product.n_rows = pass_rows(p);
    product.k = m->cols;
    product.n_out = b2s6_pad16(m->rows);
    product.first_panel = (uint32_t)begin;
    product.end_panel = (uint32_t)end;
    p->model->kernels->product(&product);
}

void b2s6_norm_pass(const struct pass *p, uint32_t l, const float *x, float *out)
{
    const struct config *c = &p->model->config;
    struct norm n;

    n.kind = c->norm;
    n.eps = b2s6_float_of(c->norm_eps);
    n.weight = p->model->layers[l].norm_weight;
    n.bias = p->model->layers[l].norm_bias;
    n.d = c->d_model;
    p->model->kernels->norm(&n, x, out, pass_rows(p), b2s6_pad16(c->d_model));
}
