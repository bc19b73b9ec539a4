/*
 * take_backbone.h - what Hugging Face's folders and the original ones have alike: the names of the tensors around the mixers
 */
#ifndef B2S6_CLI_TAKE_BACKBONE_H
#define B2S6_CLI_TAKE_BACKBONE_H

#include "checkpoint.h"
#include "take_tensors.h"

/* backbone.embedding[s], backbone.norm_f and lm_head. tie_key: the configuration's key that ties the head, for messages. */
void take_backbone_ends(tensor_taker *b, checkpoint *ck, const char *tie_key);

/* The norm of layer number index; leaves the prefix at its mixer. */
void take_backbone_norm(tensor_taker *b, const checkpoint *ck, checkpoint_layer *layer, unsigned index);

#endif
