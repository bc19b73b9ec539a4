/* config_b2s6.h - the configuration of a B2S6 checkpoint: the JSON text under the metadata key "b2s6" */
#ifndef B2S6_CLI_CONFIG_B2S6_H
#define B2S6_CLI_CONFIG_B2S6_H

#include "checkpoint.h"

/*
 * Reads and checks it: the model's configuration and, in layers that this makes (checkpoint_allocate), that of each layer.
 * No tensor is in them yet. 0 or -1.
 */
int config_read_b2s6(checkpoint *ck, const char *text, message *m);

#endif
