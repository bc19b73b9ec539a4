/*
 * generate.h - random models over the whole space of configurations, and random input for them
 *
 * A seed gives the same model and the same input everywhere. Sizes favour the edges of the library's groups of 16 and the
 * degenerate ones (one state, one channel, one feature); step sizes reach from 1e-7 to 10.
 */
#ifndef TEST_GENERATE_H
#define TEST_GENERATE_H

#include "trained.h"
#include "random.h"

/* A configuration alone, to be altered before its tensors are made; its widths are `wide` larger than usual. */
void generate_config(model_config *config, random_source *random, uint32_t wide);

/* Makes 2 to 4 layers of it that differ, each of any kind; the first stays as it was. */
void generate_layers(model_config *config, random_source *random, uint32_t wide);

/* All tensors that model->config asks for. */
void generate_tensors(trained_model *model, random_source *random);

/* All of it; of every third seed the layers differ. */
void generate_model(trained_model *model, uint64_t seed);

/* The plain model that tests start from: s4 blocks, tokens, complex, h blocks, everything selective, a head. */
void plain_config(model_config *config, uint32_t d_model, uint32_t h, uint32_t d_state);

/* Input for n_steps steps of a model: one of the two is filled, both from malloc. */
typedef struct model_input {
    size_t n_steps;
    int32_t *tokens; /* (n_steps) */
    float *features; /* (n_steps, input_size) */
} model_input;

void generate_input(model_input *input, const model_config *config, size_t n_steps, random_source *random);
void input_free(model_input *input);

#endif
