/*
 * Sections that several kinds of block share: a gated pair of products, and the projection onto the residual stream. Each
 * prepares its input, then takes it in one section whose items are groups of 16 outputs: what a group needs of others'
 * outputs is nothing, so the gate, or the sum with the stream, is taken by the part that has made the group.
 */
#include "block_parts.h"

#if B2S6_HAS_MAMBA || B2S6_HAS_MAMBA2 || B2S6_HAS_MLP

/* Of a section that takes a gated pair: everything that its parts read. */
struct gated_context {
    const struct pass *pass;
    const struct gated *gated;
    struct prepared rows;    /* what the products read */
};

/*
 * Groups begin .. end - 1 of v and g, then of v silu(g). v and g are the outputs of two matrices of equal width, side by
 * side in a row and each of whole groups, so group i of g is width floats after group i of v.
 */
static void gated_section(void *context, size_t begin, size_t end)
{
    const struct gated_context *c = context;
    const struct gated *g = c->gated;
    const size_t width = b2s6_pad16(g->in->rows);
    struct projection o;

    o.matrix = g->in;
    o.input = &c->rows;
    o.part = 0;
    o.y_stride = g->stride;
    for (o.index = 0; o.index < 2; o.index++) {
        o.bias = g->bias ? g->bias + o.index * width : NULL;
        o.y = g->v + o.index * width;
        b2s6_project(c->pass, &o, begin, end);
    }
    c->pass->model->kernels->gate_silu(g->v, g->v + width, g->stride, pass_span(c->pass, g->stride, begin, end));
}

/* The input is prepared once and read by both products. v may be used by nobody else until the caller has read it. */
void b2s6_block_gated(const struct pass *p, const struct gated *g)
{
    const size_t width = b2s6_pad16(g->in->rows), n_rows = pass_rows(p);
    struct gated_context c;

    c.pass = p;
    c.gated = g;
    c.rows = b2s6_prepare(p, g->in, g->input, b2s6_pad16(p->model->config.d_model), n_rows, 1);
    b2s6_pass_section(p, gated_section, &c, width / B2S6_LANES, product_cost(g->in, n_rows) + elementary_cost(n_rows * width));
}

/* On the stack of b2s6_block_contract, as gated_context is on that of b2s6_block_gated: the parts of the section read it. */
struct contract_context {
    const struct pass *pass;
    const struct matrix *out;
    const float *bias;
    struct prepared rows;
};

/*
 * Groups begin .. end - 1 of x += out y + bias. The product goes to a place of its own first and is added then: a chain of
 * multiply-adds that began with x would have other bits, and batches could not share it.
 */
static void contract_section(void *context, size_t begin, size_t end)
{
    const struct contract_context *c = context;
    const struct pass *p = c->pass;
    struct projection o;

    o.matrix = c->out;
    o.input = &c->rows;
    o.index = o.part = 0;
    o.bias = c->bias;
    o.y = p->work->projected;
    o.y_stride = b2s6_pad16(p->model->config.d_model);
    b2s6_project(p, &o, begin, end);
    p->model->kernels->add(p->x, o.y, pass_span(p, o.y_stride, begin, end));
}

/*
 * The last section of a block. It alone changes the residual stream, p->x, so whatever reads the block's input (which may
 * be p->x itself) has been done before.
 */
void b2s6_block_contract(const struct pass *p, const struct matrix *out, const float *bias, const float *y, size_t stride)
{
    const size_t n_rows = pass_rows(p);
    struct contract_context c;

    c.pass = p;
    c.out = out;
    c.bias = bias;
    c.rows = b2s6_prepare(p, out, y, stride, n_rows, 1);
    b2s6_pass_section(p, contract_section, &c, b2s6_pad16(p->model->config.d_model) / B2S6_LANES, product_cost(out, n_rows));
}

#endif
