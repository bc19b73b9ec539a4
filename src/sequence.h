/* A whole sequence through a bidirectional model. */
#ifndef B2S6_SEQUENCE_H
#define B2S6_SEQUENCE_H

#include "state.h"

/* Input and flags have been checked. Errors: ARGUMENT (no steps), SIZE (workspace). */
B2S6_INTERNAL b2s6_status b2s6_sequence_run(struct b2s6_state *state, const int32_t *tokens, const float *features,
                                            size_t n_steps, float *out, int last, int hidden, void *workspace,
                                            size_t workspace_size);

#endif
