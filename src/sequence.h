/* A whole sequence through a bidirectional model. */
#ifndef B2S6_SEQUENCE_H
#define B2S6_SEQUENCE_H

#include "pass.h"

/* Input and options have been checked. Errors: ARGUMENT (no steps), SIZE (workspace). */
B2S6_INTERNAL b2s6_status b2s6_sequence_run(struct b2s6_state *state, const struct ends *e, size_t n_steps,
                                            const b2s6_run_options *o);

#endif
