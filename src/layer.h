/*
 * The residual stream around a block: what is the same for all kinds of layer. run.c takes layers in turn
 * with it, bidirectional.c takes the norm alone where a layer has two units.
 */
#ifndef B2S6_LAYER_H
#define B2S6_LAYER_H

#include "pass.h"

/* Layer l over the rows of causal streams in p->x, in place. */
B2S6_INTERNAL void b2s6_layer_pass(const struct pass *p, uint32_t l);

/* out = the layer's norm of the pass's rows at x, pad16(d_model) apart; out may be x. */
B2S6_INTERNAL void b2s6_layer_norm(const struct pass *p, const struct layer *layer, const float *x, float *out);

#endif
