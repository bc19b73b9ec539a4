/*
 * take_backbone.h - what Hugging Face's folders and the original ones have alike: names of tensors, and Mamba-1's mixer
 *
 * That mixer is the mamba block around an S6 unit: one block (h = 1), real, an A for each channel, B without bias, a step of
 * low rank, Bbar = delta B. Rows of x_proj are, in order, the low-rank step, B and C.
 */
#ifndef B2S6_CLI_TAKE_BACKBONE_H
#define B2S6_CLI_TAKE_BACKBONE_H

#include "checkpoint.h"
#include "take_tensors.h"

/* What every Mamba-1 layer is; d_inner, d_conv, d_state, dt_rank, the biases and the norm are the configuration's. */
void set_mamba1(checkpoint_layer_config *c);

/* backbone.embedding[s], backbone.norm_f and lm_head. tie_key: the configuration's key that ties the head, for messages. */
void take_backbone_ends(tensor_taker *b, checkpoint *ck, const char *tie_key);

/* The norm of layer number index; leaves the prefix at its mixer. */
void take_backbone_norm(tensor_taker *b, const checkpoint *ck, checkpoint_layer *layer, unsigned index);

/* A Mamba-1 mixer, by the layer's configuration; the prefix is its own. */
void take_mamba1_mixer(tensor_taker *b, checkpoint_layer *layer, size_t d_model, int conv_bias);

#endif
