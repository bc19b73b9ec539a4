/* mamba2.h - random Mamba-2 models in the original layout, their configuration as text, and their output in float64 */
#ifndef TEST_MAMBA2_H
#define TEST_MAMBA2_H

#include "random.h"
#include "trained.h"

typedef struct mamba2_config {
    uint32_t d_model, n_layers, vocabulary, pad_multiple, d_intermediate; /* d_intermediate 0: no MLP */
    uint32_t expand, d_ssm, headdim, n_groups, d_state, d_conv;
    int rms_norm, tied;                                 /* around the mixers: RMS or layer norms */
    int gated_norm, norm_before_gate, bias, conv_bias, d_has_hdim;
    int has_limits;
    double least, most;                                 /* of delta */
} mamba2_config;

typedef struct mamba2_model {
    mamba2_config config;
    trained_model tensors; /* its own configuration has the vocabulary, for generate_input */
} mamba2_model;

/* The same of a seed everywhere. Widths favour the edges of groups of 16; every 16th model is wide. */
void mamba2_generate(mamba2_model *model, uint64_t seed);
/* Small, with every part: groups, biases, limits, both norms, an MLP beside the unit and one after it (F = 128). */
void mamba2_generate_small(mamba2_model *model);
void mamba2_free(mamba2_model *model);

/* Rows of embedding and head: the vocabulary rounded up. */
uint32_t mamba2_rows(const mamba2_config *c);

/* config.json */
void mamba2_write_config(const mamba2_config *c, char *text, size_t size);

/* The .b2s6 file that the converter makes of it, from malloc; type and states as convert_options have them. */
unsigned char *mamba2_convert(const mamba2_model *model, const char *type, const char *states, size_t *size);

/* out (n_steps, rows of the head), equation by equation. */
void mamba2_reference(const mamba2_model *model, const int32_t *tokens, size_t n_steps, double *out);

#endif
