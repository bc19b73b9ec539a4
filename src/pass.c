/*
 * Cuts the work of a pass for the host's threads, and prepares and takes matrix products over its rows.
 *
 * The library starts no threads. The host gives a parallel-for (b2s6_parallel), and a section becomes one
 * call of it with as many tasks as the section is worth. Which task does what depends on the numbers of
 * items and tasks alone, never on which thread comes first; and since no result depends on the cut either,
 * a run with 8 threads gives the bits of a run with none.
 */
#include "pass.h"
#include "tensors.h"

/*
 * The least that a part is given, in multiply-adds, if the host does not say: waking a sleeping thread takes tens of
 * microseconds, in which a core does half a million of them. Measured with the pool of examples/cli: half as much costs
 * more in small models than it gains in larger ones. Then parts are multiples of some items, too, since a scan of a single
 * group of channels has nothing to do while it waits for its own results.
 */
enum { LEAST_WORK = 500000, ITEMS_TOGETHER = 4 };

/*
 * A section on its way through the host's threads: task i does the i-th of n_parts ranges. It is on the
 * stack of b2s6_pass_section, which returns when all tasks have; tasks only read it.
 */
struct cut {
    void (*section)(void *context, size_t begin, size_t end);
    void *context;
    size_t n_items, n_parts;
    size_t together;     /* items that are not parted */
};

/* Bundles of `together` items, the last of which may be smaller. n_items is at least 1 (0 would wrap). */
static size_t bundles_of(const struct cut *cut)
{
    return (cut->n_items - 1) / cut->together + 1;
}

/*
 * Part number index, in bundles: n = n_parts whole + rest, so the first `rest` parts take one bundle more.
 * Ranges are consecutive, do not overlap, and none is empty, as n_parts is at most n. The last bundle may
 * reach beyond the last item.
 */
static void run_part(void *context, size_t index)
{
    const struct cut *cut = context;
    /* ranges in bundles; the last product with `together` turns them into items */
    const size_t n = bundles_of(cut), whole = n / cut->n_parts, rest = n % cut->n_parts;
    const size_t begin = index * whole + (index < rest ? index : rest), end = begin + whole + (index < rest);

    cut->section(cut->context, begin * cut->together, end < n ? end * cut->together : cut->n_items);
}

/*
 * Into how many parts a section is cut: at most as many as the host wants, as there are bundles, and as
 * are worth the waking. The division is done by subtracting, at most 4096 times: small machines have no
 * long division.
 */
static size_t parts_of(const struct pass *p, const struct cut *cut, size_t cost)
{
    const size_t least = p->parallel->least_work ? p->parallel->least_work : LEAST_WORK;
    const size_t bundles = bundles_of(cut), n = p->parallel->n_tasks < bundles ? p->parallel->n_tasks : bundles;
    size_t worth = 0;

    for (; worth < n && cost >= least; cost -= least) /* small machines have no long division */
        worth++;
    return worth;
}

/*
 * Below two parts the caller's thread does it all, with no call of the host's. A host that sets least_work
 * itself is taken at its word and gets single items; otherwise items go in bundles of ITEMS_TOGETHER.
 * Returns when all parts have returned, so what they wrote is there for the next section.
 */
void b2s6_pass_section(const struct pass *p, void (*section)(void *context, size_t begin, size_t end), void *context,
                       size_t n_items, size_t cost)
{
    struct cut cut;

    cut.section = section;
    cut.context = context;
    cut.n_items = n_items;
    cut.n_parts = 1;
    cut.together = p->parallel && p->parallel->least_work ? 1 : ITEMS_TOGETHER;
    /* nothing to do is done here, by a call with an empty range */
    if (p->parallel && n_items)
        cut.n_parts = parts_of(p, &cut, cost);
    if (cut.n_parts < 2)
        section(context, 0, n_items);
    else
        p->parallel->run(p->parallel->user, cut.n_parts, run_part, &cut);
}

/*
 * What the section that prepares rows sees; at most one of quantize and pack is filled. On the stack, like
 * the cut: rows are prepared before b2s6_prepare returns.
 */
struct prepare_context {
    const struct b2s6_kernels *kernels;
    struct quantize quantize;
    struct pack pack;
};

/* Items are parts of rows; see quantize in kernels.h. */
static void quantize_section(void *context, size_t begin, size_t end)
{
    const struct prepare_context *c = context;

    c->kernels->quantize(&c->quantize, begin, end);
}

/* Items are tiles of rows; see pack in kernels.h. */
static void pack_section(void *context, size_t begin, size_t end)
{
    const struct prepare_context *c = context;

    c->kernels->pack(&c->pack, begin, end);
}

/*
 * Makes the rows of r codes in the pass's workspace: (n_rows, n_parts, code width) with a scale for each
 * part of a row. Integer products then read codes alone, and their sums are exact.
 */
static void make_codes(const struct pass *p, struct prepared *r, struct prepare_context *c)
{
    c->quantize.x = r->x;
    c->quantize.codes = p->work->codes;
    c->quantize.scales = p->work->code_scales;
    c->quantize.x_stride = r->x_stride;
    c->quantize.n_rows = r->n_rows;
    c->quantize.n_parts = r->n_parts;
    c->quantize.k = r->width / r->n_parts;
    b2s6_pass_section(p, quantize_section, c, r->n_rows * r->n_parts, packing_cost(r->n_rows * r->width));
    r->codes = p->work->codes;
    r->scales = p->work->code_scales;
}

/*
 * Packs the whole tiles of the rows of r in the pass's workspace: (tiles, width, rows of a tile). The same
 * floats in another order, for products that take 12 rows at once and would run out of registers for their
 * addresses.
 */
static void make_tiles(const struct pass *p, struct prepared *r, struct prepare_context *c, size_t n_tiles)
{
    c->pack.x = r->x;
    c->pack.packed = p->work->packed;
    c->pack.x_stride = r->x_stride;
    c->pack.width = r->width;
    b2s6_pass_section(p, pack_section, c, n_tiles, packing_cost(r->n_rows * r->width));
    r->packed = p->work->packed;
}

/*
 * Three outcomes: codes for a matrix of integers; tiles where the instruction set likes them, the matrix
 * is large enough (matrix_is_packed) and there is a whole tile; else the rows as they are. Packing is done
 * once and read by every panel, so it is worth its time only for many panels. It runs on the caller's
 * thread but for its own section, and that is where an observer sees the input, once for each product.
 */
struct prepared b2s6_prepare(const struct pass *p, const struct matrix *m, const float *x, size_t x_stride, size_t n_rows,
                             uint32_t n_parts)
{
    const uint32_t pack_rows = p->model->kernels->pack_rows;
    struct prepare_context c;
    struct prepared r;

    memset(&r, 0, sizeof r);
    r.x = x;
    r.x_stride = x_stride;
    r.n_rows = n_rows;
    r.n_parts = n_parts;
    r.width = n_parts * m->cols;
    c.kernels = p->model->kernels;
    /* before any of it is packed or turned into codes: what was computed, not what is stored */
    if (p->observer)
        p->observer->see(p->observer->user, m->section, m->role, x, n_rows, r.width, x_stride);
    if (weights_are_integers(m->type))
        make_codes(p, &r, &c);
    else if (matrix_is_packed(m) && pack_rows && n_rows >= pack_rows)
        make_tiles(p, &r, &c, n_rows / pack_rows);
    return r;
}

/*
 * Finds matrix number index and part number part among those that lie side by side, and calls the kernel
 * of the weights' type. The matrix's panels are whole, so one is pad16(rows) / 16 panels of
 * weights_panel_bytes. No product of sizes here wraps: all that is addressed is in memory.
 */
void b2s6_project(const struct pass *p, const struct projection *o, size_t begin, size_t end)
{
    const struct matrix *m = o->matrix;
    const struct prepared *in = o->input;
    const uint32_t pack_rows = p->model->kernels->pack_rows;
    struct product product;

    memset(&product, 0, sizeof product);
    product.weight = (const unsigned char *)m->data +
                     (size_t)o->index * (b2s6_pad16(m->rows) / B2S6_LANES) * (size_t)weights_panel_bytes(m->type, m->cols);
    product.bias = o->bias;
    product.x = in->x + (size_t)o->part * m->cols;
    product.y = o->y;
    product.x_stride = in->x_stride;
    product.y_stride = o->y_stride;
    if (B2S6_HAS_ISAS && in->packed) {
        product.packed = in->packed + (size_t)o->part * m->cols * pack_rows;
        product.packed_stride = (size_t)in->width * pack_rows;
    }
    /* a row of codes has its parts side by side, each padded to its own width */
    if (weights_are_integers(m->type)) {
        product.codes = in->codes + (size_t)o->part * b2s6_code_width(m->cols);
        product.scales = in->scales + o->part;
        product.code_stride = (size_t)in->n_parts * b2s6_code_width(m->cols);
        product.scale_stride = in->n_parts;
    }
    product.n_rows = in->n_rows;
    product.k = m->cols;
    /*
     * where y is as narrow as the matrix (the head's rows, in the host's memory) padding may not be
     * written
     */
    product.n_out = o->y_stride == m->rows ? m->rows : b2s6_pad16(m->rows);
    product.first_panel = (uint32_t)begin;
    product.end_panel = (uint32_t)end;
    p->model->kernels->product[m->type](&product);
}
