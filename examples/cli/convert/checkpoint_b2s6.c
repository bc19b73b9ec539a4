/*
 * checkpoint_b2s6.c - reads a B2S6 checkpoint: a safetensors file with the state_dict of a model and, as JSON under the
 * metadata key "b2s6", its configuration. docs/checkpoint.md lists names and shapes.
 */
#include "checkpoint.h"
#include "config_b2s6.h"
#include "take_tensors.h"

/* One tensor whose last axis holds real and imaginary part if complex. */
static void take_pairs(tensor_taker *b, tensor *t, const char *name, size_t i, size_t j, size_t k, uint32_t is_complex)
{
    if (is_complex)
        take_tensor(b, t, name, SHAPE(i, j, k, 2));
    else
        take_tensor(b, t, name, SHAPE(i, j, k));
}

static void take_unit(tensor_taker *b, checkpoint_unit *u, const checkpoint_layer_config *c)
{
    size_t h = c->h, p = c->d_inner / c->h, n = c->d_state, d = c->d_inner;
    size_t a_rows = c->a_scope == B2S6_SCOPE_LAYER ? 1 : c->a_scope == B2S6_SCOPE_BLOCK ? h : d;
    take_tensor(b, &u->a_log, "A_log", SHAPE(a_rows, n));
    if (c->complex_state)
        take_tensor(b, &u->a_imag, "A_imag", SHAPE(a_rows, n));
    if (c->b_weight)
        take_pairs(b, &u->b_weight, "B_weight", h, n, p, c->complex_state);
    if (c->b_bias)
        take_pairs(b, &u->b_bias, "B_bias", h, p, n, c->complex_state);
    take_pairs(b, &u->c, "C", h, p, n, c->c_complex);
    if (c->delta == B2S6_DELTA_BLOCK)
        take_tensor(b, &u->w, "w", SHAPE(h, p));
    if (c->delta == B2S6_DELTA_LOWRANK) {
        take_tensor(b, &u->x_weight, "x_weight", SHAPE(c->dt_rank, d));
        take_tensor(b, &u->dt_weight, "dt_weight", SHAPE(d, c->dt_rank));
    }
    take_tensor(b, &u->b, "b", SHAPE(h, p));
    if (c->skip)
        take_tensor(b, &u->d, "D", SHAPE(d));
}

static void take_norm(tensor_taker *b, checkpoint_norm *norm, uint32_t kind, size_t d_model)
{
    if (kind == B2S6_NORM_NONE)
        return;
    take_tensor(b, &norm->weight, "weight", SHAPE(d_model));
    if (kind == B2S6_NORM_RMS)
        return;
    take_tensor(b, &norm->bias, "bias", SHAPE(d_model));
    if (kind == B2S6_NORM_BATCH) {
        take_tensor(b, &norm->mean, "running_mean", SHAPE(d_model));
        take_tensor(b, &norm->variance, "running_var", SHAPE(d_model));
        taker_ignore(b, "num_batches_tracked");  /* PyTorch's counter, of use in training alone */
    }
}

static void take_s4(tensor_taker *b, checkpoint_layer *layer, size_t d_model)
{
    take_tensor(b, &layer->out, "out.weight", SHAPE(2 * d_model, d_model));
    take_tensor(b, &layer->out_bias, "out.bias", SHAPE(2 * d_model));
}

static void take_mamba(tensor_taker *b, checkpoint_layer *layer, size_t d_model)
{
    const checkpoint_layer_config *c = &layer->config;
    take_tensor(b, &layer->in_proj, "in_proj.weight", SHAPE(2 * c->d_inner, d_model));
    if (c->in_proj_bias)
        take_tensor(b, &layer->in_proj_bias, "in_proj.bias", SHAPE(2 * c->d_inner));
    take_tensor(b, &layer->conv_weight, "conv.weight", SHAPE(c->d_inner, c->d_conv));
    take_tensor(b, &layer->conv_bias, "conv.bias", SHAPE(c->d_inner));
    take_tensor(b, &layer->out, "out_proj.weight", SHAPE(d_model, c->d_inner));
    if (c->out_proj_bias)
        take_tensor(b, &layer->out_bias, "out_proj.bias", SHAPE(d_model));
}

static void take_layer(tensor_taker *b, checkpoint_layer *layer, size_t d_model, unsigned index)
{
    const checkpoint_layer_config *c = &layer->config;
    take_layer_prefix(b, "layers.", index, ".norm.");
    take_norm(b, &layer->norm, c->norm, d_model);
    take_layer_prefix(b, "layers.", index, ".unit.");
    take_unit(b, &layer->unit, c);
    if (c->bidirectional) {
        take_layer_prefix(b, "layers.", index, ".unit_rev.");
        take_unit(b, &layer->unit_rev, c);
    }
    take_layer_prefix(b, "layers.", index, ".");
    if (c->block == B2S6_BLOCK_S4)
        take_s4(b, layer, d_model);
    else
        take_mamba(b, layer, d_model);
}

static void take_ends(tensor_taker *b, checkpoint *ck)
{
    const checkpoint_config *c = &ck->config;
    take_prefix(b, "");
    if (c->input_kind == B2S6_TOKENS) {
        take_tensor(b, &ck->encoder, "encoder.weight", SHAPE(c->input_size, c->d_model));
    } else {
        take_tensor(b, &ck->encoder, "encoder.weight", SHAPE(c->d_model, c->input_size));
        take_tensor(b, &ck->encoder_bias, "encoder.bias", SHAPE(c->d_model));
    }
    if (c->head_size > 0 && !c->head_tied)
        take_tensor(b, &ck->head, "head.weight", SHAPE(c->head_size, c->d_model));
    if (c->head_bias)
        take_tensor(b, &ck->head_bias, "head.bias", SHAPE(c->head_size));
    take_prefix(b, "final_norm.");
    take_norm(b, &ck->final_norm, c->final_norm, c->d_model);
}

int checkpoint_read_b2s6(checkpoint *ck, const tensor_source *source, message *m)
{
    const char *text = tensor_source_metadata(source, "b2s6");
    tensor_taker b = { source, m, "", 0 };
    if (!text)
        return complain(m, "no configuration: the metadata have no key b2s6 (of a Hugging Face checkpoint give the folder)");
    if (config_read_b2s6(ck, text, m) != 0)
        return -1;
    take_ends(&b, ck);
    for (uint32_t i = 0; i < ck->config.n_layers && !b.failed; i++)
        take_layer(&b, &ck->layers[i], ck->config.d_model, i);
    return taker_finish(&b);
}
