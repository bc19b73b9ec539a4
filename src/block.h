/* The blocks around the unit. Each adds f(input) to work->x, for the rows of a pass. */
#ifndef B2S6_BLOCK_H
#define B2S6_BLOCK_H

#include "pass.h"

/* input (rows, pad16(d_model)) is work->x or its norm. */
B2S6_INTERNAL void b2s6_s4_pass(const struct pass *p, uint32_t l, const float *input);
B2S6_INTERNAL void b2s6_mamba_pass(const struct pass *p, uint32_t l, const float *input);

#endif
