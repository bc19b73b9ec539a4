/* bench_input.c - see bench_input.h */
#include "bench_input.h"

void bench_input(const b2s6_model_info *info, size_t n_steps, int32_t *tokens, float *features)
{
    uint32_t x = 1;
    for (size_t i = 0; i < n_steps; i++) {
        x = x * 1664525u + 1013904223u;
        if (tokens)
            tokens[i] = (int32_t)((x >> 8) % info->input_size);
        for (size_t k = 0; features && k < info->input_size; k++) {
            x = x * 1664525u + 1013904223u;
            features[i * info->input_size + k] = (float)(x >> 8) * 0x1p-23f - 1.0f;
        }
    }
}
