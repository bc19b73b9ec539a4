/*
 * The residual stream around a block: x + f(norm(x)), or norm(x + f(x)). The block adds to x itself, so
 * that its last product and the sum are one section; here is only where the norm goes.
 */
#include "layer.h"

#include "block.h"

/*
 * All rows on the caller's thread: beside a layer's products a norm is little work. Padding of weight and
 * bias is in the file; eps is kept as bits, as the file has it.
 */
void b2s6_layer_norm(const struct pass *p, const struct layer *layer, const float *x, float *out)
{
    struct norm n;

    n.kind = layer->config.norm;
    n.eps = b2s6_float_of(layer->config.norm_eps);
    n.weight = layer->norm_weight;
    n.bias = layer->norm_bias;
    /* without the padding, which takes no part in means and is written as zero */
    n.d = p->model->config.d_model;
    p->model->kernels->norm(&n, x, out, pass_rows(p), b2s6_pad16(n.d));
}

/*
 * Pre-norm: the block reads the norm and adds to x, so x must stay and the norm goes to a place of its
 * own. Without a norm there is nothing to compute and the block reads x itself. Post-norm: the block reads
 * x, and the norm is taken in place.
 */
void b2s6_layer_pass(const struct pass *p, uint32_t l)
{
    const struct layer *layer = &p->model->layers[l];
    const struct layer_config *c = &layer->config;
    /* what the block reads */
    const float *input = p->x;

    if (c->norm_place == NORM_PRE && c->norm != B2S6_NORM_NONE) {
        b2s6_layer_norm(p, layer, p->x, p->work->normed);
        input = p->work->normed;
    }
    layer->block->pass(p, layer, input);
    if (c->norm_place == NORM_POST)
        b2s6_layer_norm(p, layer, p->x, p->x);
}
