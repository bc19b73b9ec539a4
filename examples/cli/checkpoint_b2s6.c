/*
 * checkpoint_b2s6.c - reads a B2S6 checkpoint: a safetensors file with the state_dict of a model and, as JSON under the
 * metadata key "b2s6", its configuration. docs/checkpoint.md lists names and shapes.
 */
#include "bind.h"
#include "checkpoint.h"
#include "config_b2s6.h"

/* One tensor whose last axis holds real and imaginary part if complex. */
static void bind_pairs(binder *b, tensor *t, const char *name, size_t i, size_t j, size_t k, uint32_t is_complex)
{
    if (is_complex)
        bind_tensor(b, t, name, BIND_SHAPE(i, j, k, 2));
    else
        bind_tensor(b, t, name, BIND_SHAPE(i, j, k));
}

static void bind_unit(binder *b, checkpoint_unit *u, const checkpoint_layer_config *c)
{
    size_t h = c->h, p = c->d_inner / c->h, n = c->d_state, d = c->d_inner;
    size_t a_rows = c->a_scope == B2S6_SCOPE_LAYER ? 1 : c->a_scope == B2S6_SCOPE_BLOCK ? h : d;
    bind_tensor(b, &u->a_log, "A_log", BIND_SHAPE(a_rows, n));
    if (c->complex_state)
        bind_tensor(b, &u->a_imag, "A_imag", BIND_SHAPE(a_rows, n));
    if (c->b_weight)
        bind_pairs(b, &u->b_weight, "B_weight", h, n, p, c->complex_state);
    if (c->b_bias)
        bind_pairs(b, &u->b_bias, "B_bias", h, p, n, c->complex_state);
    bind_pairs(b, &u->c, "C", h, p, n, c->c_complex);
    if (c->delta == B2S6_DELTA_BLOCK)
        bind_tensor(b, &u->w, "w", BIND_SHAPE(h, p));
    if (c->delta == B2S6_DELTA_LOWRANK) {
        bind_tensor(b, &u->x_weight, "x_weight", BIND_SHAPE(c->dt_rank, d));
        bind_tensor(b, &u->dt_weight, "dt_weight", BIND_SHAPE(d, c->dt_rank));
    }
    bind_tensor(b, &u->b, "b", BIND_SHAPE(h, p));
    if (c->skip)
        bind_tensor(b, &u->d, "D", BIND_SHAPE(d));
}

static void bind_norm(binder *b, checkpoint_norm *norm, uint32_t kind, size_t d_model)
{
    if (kind == B2S6_NORM_NONE)
        return;
    bind_tensor(b, &norm->weight, "weight", BIND_SHAPE(d_model));
    if (kind == B2S6_NORM_RMS)
        return;
    bind_tensor(b, &norm->bias, "bias", BIND_SHAPE(d_model));
    if (kind == B2S6_NORM_BATCH) {
        bind_tensor(b, &norm->mean, "running_mean", BIND_SHAPE(d_model));
        bind_tensor(b, &norm->variance, "running_var", BIND_SHAPE(d_model));
        bind_ignore(b, "num_batches_tracked");  /* PyTorch's counter, of use in training alone */
    }
}

static void bind_s4(binder *b, checkpoint_layer *layer, size_t d_model)
{
    bind_tensor(b, &layer->out, "out.weight", BIND_SHAPE(2 * d_model, d_model));
    bind_tensor(b, &layer->out_bias, "out.bias", BIND_SHAPE(2 * d_model));
}

static void bind_mamba(binder *b, checkpoint_layer *layer, size_t d_model)
{
    const checkpoint_layer_config *c = &layer->config;
    bind_tensor(b, &layer->in_proj, "in_proj.weight", BIND_SHAPE(2 * c->d_inner, d_model));
    if (c->in_proj_bias)
        bind_tensor(b, &layer->in_proj_bias, "in_proj.bias", BIND_SHAPE(2 * c->d_inner));
    bind_tensor(b, &layer->conv_weight, "conv.weight", BIND_SHAPE(c->d_inner, c->d_conv));
    bind_tensor(b, &layer->conv_bias, "conv.bias", BIND_SHAPE(c->d_inner));
    bind_tensor(b, &layer->out, "out_proj.weight", BIND_SHAPE(d_model, c->d_inner));
    if (c->out_proj_bias)
        bind_tensor(b, &layer->out_bias, "out_proj.bias", BIND_SHAPE(d_model));
}

static void bind_layer(binder *b, checkpoint_layer *layer, size_t d_model, unsigned index)
{
    const checkpoint_layer_config *c = &layer->config;
    bind_layer_prefix(b, "layers.", index, ".norm.");
    bind_norm(b, &layer->norm, c->norm, d_model);
    bind_layer_prefix(b, "layers.", index, ".unit.");
    bind_unit(b, &layer->unit, c);
    if (c->bidirectional) {
        bind_layer_prefix(b, "layers.", index, ".unit_rev.");
        bind_unit(b, &layer->unit_rev, c);
    }
    bind_layer_prefix(b, "layers.", index, ".");
    if (c->block == B2S6_BLOCK_S4)
        bind_s4(b, layer, d_model);
    else
        bind_mamba(b, layer, d_model);
}

static void bind_ends(binder *b, checkpoint *ck)
{
    const checkpoint_config *c = &ck->config;
    bind_prefix(b, "");
    if (c->input_kind == B2S6_TOKENS) {
        bind_tensor(b, &ck->encoder, "encoder.weight", BIND_SHAPE(c->input_size, c->d_model));
    } else {
        bind_tensor(b, &ck->encoder, "encoder.weight", BIND_SHAPE(c->d_model, c->input_size));
        bind_tensor(b, &ck->encoder_bias, "encoder.bias", BIND_SHAPE(c->d_model));
    }
    if (c->head_size > 0 && !c->head_tied)
        bind_tensor(b, &ck->head, "head.weight", BIND_SHAPE(c->head_size, c->d_model));
    if (c->head_bias)
        bind_tensor(b, &ck->head_bias, "head.bias", BIND_SHAPE(c->head_size));
    bind_prefix(b, "final_norm.");
    bind_norm(b, &ck->final_norm, c->final_norm, c->d_model);
}

int checkpoint_read_b2s6(checkpoint *ck, const safetensors *file, message *m)
{
    const char *text = safetensors_metadata(file, "b2s6");
    binder b = { file, m, "", 0 };
    if (!text)
        return complain(m, "no configuration: the metadata have no key b2s6 (of a Hugging Face checkpoint give the folder)");
    if (config_read_b2s6(ck, text, m) != 0)
        return -1;
    bind_ends(&b, ck);
    for (uint32_t i = 0; i < ck->config.n_layers && !b.failed; i++)
        bind_layer(&b, &ck->layers[i], ck->config.d_model, i);
    return bind_finish(&b);
}
