/* take_backbone.c - see take_backbone.h */
#include "take_backbone.h"

void set_mamba1(checkpoint_layer_config *c)
{
    c->block = B2S6_BLOCK_MAMBA;
    c->h = 1;
    c->a_scope = B2S6_SCOPE_CHANNEL;
    c->b_weight = c->c_selective = c->euler = c->skip = 1;
    c->delta = B2S6_DELTA_LOWRANK;
}

void take_mamba1_mixer(tensor_taker *b, checkpoint_layer *layer, size_t d_model, int conv_bias)
{
    const checkpoint_layer_config *c = &layer->config;
    size_t d = c->d_inner, n = c->d_state, rank = c->dt_rank;
    checkpoint_unit *u = &layer->unit;
    tensor x_proj = { 0 }, conv = { 0 }, b_step = { 0 };
    take_tensor(b, &layer->in_proj, "in_proj.weight", SHAPE(2 * d, d_model));
    take_tensor(b, &conv, "conv1d.weight", SHAPE(d, 1, c->d_conv));
    if (conv_bias)
        take_tensor(b, &layer->conv_bias, "conv1d.bias", SHAPE(d));
    take_tensor(b, &x_proj, "x_proj.weight", SHAPE(rank + 2 * n, d));
    take_tensor(b, &u->dt_weight, "dt_proj.weight", SHAPE(d, rank));
    take_tensor(b, &b_step, "dt_proj.bias", SHAPE(d));
    take_tensor(b, &u->a_log, "A_log", SHAPE(d, n));
    take_tensor(b, &u->d, "D", SHAPE(d));
    take_tensor(b, &layer->out, "out_proj.weight", SHAPE(d_model, d));
    if (c->in_proj_bias) {
        take_tensor(b, &layer->in_proj_bias, "in_proj.bias", SHAPE(2 * d));
        take_tensor(b, &layer->out_bias, "out_proj.bias", SHAPE(d_model));
    }
    if (b->failed)
        return;
    layer->conv_weight = tensor_drop(conv, 1);
    u->x_weight = tensor_rows(x_proj, 0, rank);
    u->b_weight = tensor_wrap(tensor_rows(x_proj, rank, n));                       /* (1, n, d) */
    u->c = tensor_wrap(tensor_transpose(tensor_rows(x_proj, rank + n, n)));        /* (1, d, n) */
    u->b = tensor_wrap(b_step);                                                    /* (1, d) */
}

/* A tied head may be in the file all the same; then it must be the embedding. */
static void check_tied_head(tensor_taker *b, const checkpoint *ck, const char *tie_key)
{
    const checkpoint_config *c = &ck->config;
    tensor head = { 0 };
    if (b->failed || !taker_has(b, "lm_head.weight"))
        return;
    take_tensor(b, &head, "lm_head.weight", SHAPE(c->input_size, c->d_model));
    if (b->failed || head.data == ck->encoder.data)  /* failed, or the same bytes: in a .bin the two share a storage */
        return;
    for (size_t i = 0; i < c->input_size; i++) {
        for (size_t k = 0; k < c->d_model; k++)
            if (tensor_at(&head, i, k, 0, 0) < tensor_at(&ck->encoder, i, k, 0, 0) ||
                tensor_at(&head, i, k, 0, 0) > tensor_at(&ck->encoder, i, k, 0, 0)) {
                b->failed = complain(b->m, "tensor lm_head.weight differs from the embedding (at [%zu, %zu]), but "
                                     "%s is true", i, k, tie_key);
                return;
            }
        tensor_source_read(b->source, 2 * c->d_model * tensor_value_size(head.type));
    }
}

/* weight (d_model), and bias (d_model) of a layer norm. */
static void take_norm(tensor_taker *b, checkpoint_norm *norm, uint32_t kind, size_t d_model)
{
    take_tensor(b, &norm->weight, "weight", SHAPE(d_model));
    if (kind == B2S6_NORM_LAYER)
        take_tensor(b, &norm->bias, "bias", SHAPE(d_model));
}

void take_backbone_norm(tensor_taker *b, const checkpoint *ck, checkpoint_layer *layer, unsigned index)
{
    take_layer_prefix(b, "backbone.layers.", index, ".norm.");
    take_norm(b, &layer->norm, layer->config.norm, ck->config.d_model);
    take_layer_prefix(b, "backbone.layers.", index, ".mixer.");
}

void take_backbone_ends(tensor_taker *b, checkpoint *ck, const char *tie_key)
{
    const checkpoint_config *c = &ck->config;
    take_prefix(b, "");
    take_tensor(b, &ck->encoder, taker_has(b, "backbone.embedding.weight") ? "backbone.embedding.weight"
                                                                         : "backbone.embeddings.weight",
                SHAPE(c->input_size, c->d_model));
    take_prefix(b, "backbone.norm_f.");
    take_norm(b, &ck->final_norm, c->final_norm, c->d_model);
    take_prefix(b, "");
    if (c->head_tied)
        check_tied_head(b, ck, tie_key);
    else
        take_tensor(b, &ck->head, "lm_head.weight", SHAPE(c->head_size, c->d_model));
}
