/* bench_input.h - input for measurements */
#ifndef B2S6_CLI_BENCH_INPUT_H
#define B2S6_CLI_BENCH_INPUT_H

#include "b2s6.h"

/* n_steps steps that are neither constant nor in step with anything: tokens (n_steps) or features (n_steps, input_size), or NULL. */
void bench_input(const b2s6_model_info *info, size_t n_steps, int32_t *tokens, float *features);

#endif
