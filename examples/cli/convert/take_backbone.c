/* take_backbone.c - see take_backbone.h */
#include "take_backbone.h"

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
