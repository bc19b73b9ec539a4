/* The residual stream around a block: x + f(norm(x)), or norm(x + f(x)). */
#include "block.h"

void b2s6_layer_pass(const struct pass *p, uint32_t l)
{
    const struct config *c = &p->model->config;
    const int normed = c->norm_place == NORM_PRE && c->norm != B2S6_NORM_NONE;
    const float *input = normed ? p->work->normed : p->work->x;

    if (normed)
        b2s6_norm_pass(p, l, p->work->x, p->work->normed);
    if (config_is_mamba(c))
        b2s6_mamba_pass(p, l, input);
    else
        b2s6_s4_pass(p, l, input);
    if (c->norm_place == NORM_POST)
        b2s6_norm_pass(p, l, p->work->x, p->work->x);
}
