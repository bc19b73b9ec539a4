/* checkpoint.c - see checkpoint.h */
#include "checkpoint.h"

#include <float.h>
#include <stdlib.h>

#include "src/format_numbers.h"

static int in_range(const char *what, uint32_t value, uint32_t low, uint32_t high, message *m)
{
    if (value < low || value > high)
        return complain(m, "%s is %lu, not from %lu to %lu", what, (unsigned long)value, (unsigned long)low,
                        (unsigned long)high);
    return 0;
}

static int check_eps(const char *what, double eps, message *m)
{
    return eps >= 0 && eps <= FLT_MAX ? 0 : complain(m, "%s is not a finite number >= 0", what);
}

int checkpoint_check_config(const checkpoint_config *c, message *m)
{
    uint32_t inputs = c->input_kind == B2S6_TOKENS ? FORMAT_MAX_SIZE : FORMAT_MAX_WIDTH;
    if (in_range("d_model", c->d_model, 1, FORMAT_MAX_WIDTH, m) != 0 ||
        in_range("n_layers", c->n_layers, 1, FORMAT_MAX_LAYERS, m) != 0 ||
        in_range("input.size", c->input_size, 1, inputs, m) != 0 ||
        in_range("head.size", c->head_size, 0, FORMAT_MAX_SIZE, m) != 0 ||
        check_eps("final_norm.eps", c->final_norm_eps, m) != 0)
        return -1;
    if (c->head_tied && c->input_kind != B2S6_TOKENS)
        return complain(m, "head.tied needs an input of tokens");
    if (c->head_tied && c->head_size != c->input_size)
        return complain(m, "head.tied, but head.size is %lu and the vocabulary %lu", (unsigned long)c->head_size,
                        (unsigned long)c->input_size);
    return 0;
}

/* What only a mamba2 block has; h and d_inner have been looked at. */
static int check_mamba2(const checkpoint_layer_config *c, message *m)
{
    if (in_range("d_conv", c->d_conv, 1, FORMAT_MAX_D_CONV, m) != 0 ||
        in_range("d_mlp", c->d_mlp, 0, FORMAT_MAX_WIDTH, m) != 0 ||
        in_range("the number of groups", c->n_groups, 1, c->h, m) != 0 ||
        in_range("the number of the norm's groups", c->norm_groups, 1, c->d_inner, m) != 0 ||
        check_eps("the gated norm's eps", c->gate_eps, m) != 0)
        return -1;
    if (c->h % c->n_groups != 0)
        return complain(m, "%u groups do not divide %u heads", (unsigned)c->n_groups, (unsigned)c->h);
    if ((uint64_t)c->n_groups * c->d_state > FORMAT_MAX_SIZE / 2)
        return complain(m, "%u groups of %u states are too many", (unsigned)c->n_groups, (unsigned)c->d_state);
    if (c->d_inner % c->norm_groups != 0)
        return complain(m, "the norm's %u groups do not divide the unit's width, %u", (unsigned)c->norm_groups,
                        (unsigned)c->d_inner);
    if (!(c->delta_least >= 0 && c->delta_least <= FLT_MAX) || !(c->delta_most >= c->delta_least))
        return complain(m, "the limits of delta are not in order, from a finite one >= 0 up");
    return 0;
}

static int check_block(const checkpoint_layer_config *c, const checkpoint_config *model, message *m)
{
    if (check_eps("norm.eps", c->norm_eps, m) != 0)
        return -1;
    if (c->block != B2S6_BLOCK_S4 && c->bidirectional)
        return complain(m, "bidirectional needs block \"s4\"");
    if (c->block == B2S6_BLOCK_MAMBA2 || c->block == B2S6_BLOCK_MLP)
        return in_range("d_inner", c->d_inner, 1, FORMAT_MAX_WIDTH, m);
    if (c->block == B2S6_BLOCK_MAMBA) {
        return in_range("d_inner", c->d_inner, 1, FORMAT_MAX_WIDTH, m) != 0 ||
               in_range("d_conv", c->d_conv, 1, FORMAT_MAX_D_CONV, m) != 0 ? -1 : 0;
    }
    return in_range("the width of an s4 block's unit", c->d_inner, model->d_model, model->d_model, m);
}

int checkpoint_check_layer(const checkpoint_layer_config *c, const checkpoint_config *model, message *m)
{
    if (check_block(c, model, m) != 0)
        return -1;
    if (c->block == B2S6_BLOCK_MLP)
        return 0;
    if (in_range("unit.h", c->h, 1, c->d_inner, m) != 0 ||
        in_range("unit.d_state", c->d_state, 1, FORMAT_MAX_D_STATE, m) != 0)
        return -1;
    if (c->d_inner % c->h != 0)
        return complain(m, "unit.h = %u does not divide the unit's width, %u", (unsigned)c->h, (unsigned)c->d_inner);
    if (c->block == B2S6_BLOCK_MAMBA2)
        return check_mamba2(c, m);
    if (!c->b_weight && !c->b_bias)
        return complain(m, "unit.b_weight and unit.b_bias are both false: B would be zero");
    if (c->c_complex && !c->complex_state)
        return complain(m, "unit.c_complex needs unit.complex");
    if (c->delta == B2S6_DELTA_LOWRANK)
        return in_range("unit.dt_rank", c->dt_rank, 1, FORMAT_MAX_WIDTH, m);
    if (c->dt_rank != 0)
        return complain(m, "unit.dt_rank is %u, but unit.delta is not \"lowrank\"", (unsigned)c->dt_rank);
    return 0;
}

int checkpoint_allocate(checkpoint *ck, const checkpoint_layer_config *layer, message *m)
{
    ck->layers = calloc(ck->config.n_layers, sizeof *ck->layers);
    if (!ck->layers)
        return complain(m, "out of memory");
    for (uint32_t i = 0; i < ck->config.n_layers; i++)
        ck->layers[i].config = *layer;
    return 0;
}

void checkpoint_free(checkpoint *ck)
{
    free(ck->layers);
    ck->layers = NULL;
}
