#include "pass.h"

/* Values below which waking the host's threads takes longer than preparing them here. */
enum { WORTH_A_SECTION = 16384 };

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

/* Rows of a packed tile; as good as infinite where nothing is packed. */
static size_t pack_rows(const struct pass *p)
{
    return p->model->kernels->pack_rows ? p->model->kernels->pack_rows : SIZE_MAX;
}

void b2s6_pass_product(const struct pass *p, const struct operand *o, size_t begin, size_t end)
{
    const struct matrix *m = o->matrix;
    struct product product;

    product.weight = (const unsigned char *)m->data +
                     (size_t)o->index * (b2s6_pad16(m->rows) / B2S6_LANES) * (size_t)weights_panel_bytes(m->type, m->cols);
    product.bias = o->bias;
    product.x = o->x;
    product.y = o->y;
    product.x_stride = o->x_stride;
    product.y_stride = o->y_stride;
    product.code_stride = (size_t)o->n_parts * b2s6_code_width(m->cols);
    product.scale_stride = o->n_parts;
    product.codes = NULL;
    product.scales = NULL;
    product.packed = NULL;
    product.packed_stride = 0;
    if (b2s6_is_packed(m) && o->n_rows >= pack_rows(p)) {
        product.packed_stride = (size_t)o->n_parts * m->cols * pack_rows(p);
        product.packed = p->work->packed + (size_t)o->part * m->cols * pack_rows(p);
    }
    if (weights_are_integers(m->type)) {
        product.codes = p->work->codes + (size_t)o->part * b2s6_code_width(m->cols);
        product.scales = p->work->code_scales + o->part;
    }
    product.n_rows = o->n_rows;
    product.k = m->cols;
    product.n_out = o->y_stride == m->rows ? m->rows : b2s6_pad16(m->rows);
    product.first_panel = (uint32_t)begin;
    product.end_panel = (uint32_t)end;
    p->model->kernels->product[m->type](&product);
}

struct prepare_context {
    const struct b2s6_kernels *kernels;
    struct quantize quantize;
    struct pack pack;
};

static void quantize_section(void *context, size_t begin, size_t end)
{
    const struct prepare_context *c = context;

    c->kernels->quantize(&c->quantize, begin, end);
}

static void pack_section(void *context, size_t begin, size_t end)
{
    const struct prepare_context *c = context;

    c->kernels->pack(&c->pack, begin, end);
}

/* All items at once if they hold few values. */
void b2s6_pass_prepare(const struct pass *p, const struct matrix *m, const float *x, size_t x_stride, size_t n_rows,
                       uint32_t n_parts)
{
    const int in_one = n_rows * n_parts * m->cols < WORTH_A_SECTION;
    struct prepare_context c;

    c.kernels = p->model->kernels;
    if (weights_are_integers(m->type)) {
        c.quantize.x = x;
        c.quantize.codes = p->work->codes;
        c.quantize.scales = p->work->code_scales;
        c.quantize.x_stride = x_stride;
        c.quantize.n_rows = n_rows;
        c.quantize.n_parts = n_parts;
        c.quantize.k = m->cols;
        if (in_one)
            quantize_section(&c, 0, n_rows * n_parts);
        else
            b2s6_pass_section(p, quantize_section, &c, n_rows * n_parts);
    } else if (b2s6_is_packed(m) && n_rows >= pack_rows(p)) {
        c.pack.x = x;
        c.pack.packed = p->work->packed;
        c.pack.x_stride = x_stride;
        c.pack.n_rows = n_rows;
        c.pack.width = n_parts * m->cols;
        if (in_one)
            pack_section(&c, 0, n_rows / pack_rows(p));
        else
            b2s6_pass_section(p, pack_section, &c, n_rows / pack_rows(p));
    }
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
