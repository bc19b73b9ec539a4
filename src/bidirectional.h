/*
 * Whole sequences through models that read some layers in both directions. run.c calls it for every run of
 * such a model.
 */
#ifndef B2S6_BIDIRECTIONAL_H
#define B2S6_BIDIRECTIONAL_H

#include "encoder_head.h"

/* Input, output and options have been checked, the workspace's size apart. Errors: SIZE (workspace). n_steps is not 0. */
B2S6_INTERNAL b2s6_status b2s6_sequence_run(struct b2s6_state *state, const struct stream_ends *e, size_t n_steps,
                                            const b2s6_run_options *o);

#endif
