/* take_mamba2.h - what Hugging Face's Mamba-2 folders and the original ones have alike: the mixer, and the limits of delta */
#ifndef B2S6_CLI_TAKE_MAMBA2_H
#define B2S6_CLI_TAKE_MAMBA2_H

#include "../support/json.h"
#include "take_backbone.h"

/* What every Mamba-2 layer is; sizes, groups, biases, norms and limits are the configuration's. */
void set_mamba2(checkpoint_layer_config *c);

/* [least, most], infinity as a bare Infinity or as {"__float__": "Infinity"}. key: for messages. 0 or -1. */
int read_delta_limits(checkpoint_layer_config *c, json limits, const char *key, message *m);

/* A mixer, by the layer's configuration; the prefix is its own. */
void take_mamba2_mixer(tensor_taker *b, checkpoint_layer *layer, size_t d_model, int conv_bias);

#endif
