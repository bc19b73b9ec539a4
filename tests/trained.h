/*
 * trained.h - a trained model as PyTorch saves it: a configuration and named float32 tensors
 *
 * The tests make such models (generate.h), compute their outputs in float64 (reference.h), and write them as a safetensors
 * file for the converter.
 */
#ifndef TEST_TRAINED_H
#define TEST_TRAINED_H

#include <stddef.h>
#include <stdint.h>

#include "../b2s6.h"

typedef struct unit_config {
    uint32_t h, d_state;
    int complex_state;
    b2s6_scope a_scope;
    int b_weight, b_bias;
    int c_selective, c_complex;
    b2s6_delta delta;
    uint32_t dt_rank; /* low-rank delta, else 0 */
    int euler, conjugate, skip;
    int plain_states; /* states without what their roundings lost */
} unit_config;

/* What a layer may have otherwise than the others. Members as in model_config. */
typedef struct layer_config {
    b2s6_norm norm;
    double norm_eps;
    int norm_post;
    b2s6_block block;
    uint32_t d_inner, d_conv;
    int bidirectional;
    unit_config unit;
} layer_config;

enum { MOST_LAYERS_THAT_DIFFER = 4 };

/* norm to unit: of every layer, unless layers_differ. */

typedef struct model_config {
    uint32_t d_model, n_layers;
    b2s6_input_kind input_kind;
    uint32_t input_size;
    b2s6_norm norm;
    double norm_eps;
    int norm_post;
    b2s6_norm final_norm;
    double final_norm_eps;
    b2s6_block block;
    uint32_t d_inner; /* width of the unit; d_model for s4 blocks */
    uint32_t d_conv;  /* 0 for s4 blocks */
    int bidirectional;
    unit_config unit;
    b2s6_pool pool;
    uint32_t head_size; /* 0: none */
    int head_bias, head_tied;
    int layers_differ;
    layer_config layers[MOST_LAYERS_THAT_DIFFER]; /* (n_layers), if they do; norm to unit above are those of the first */
} model_config;

typedef struct trained_tensor {
    char name[56];
    size_t rank, shape[4];
    size_t count;  /* product of the shape */
    float *values; /* row-major */
} trained_tensor;

typedef struct trained_model {
    model_config config;
    trained_tensor *tensors;
    size_t n_tensors;
    char note[64]; /* string metadata "note" of the file; empty: none */
} trained_model;

/* What the configuration calls the enumerated values. */
extern const char *const norm_names[4], *const pool_names[3], *const scope_names[4], *const delta_names[4];

/* Width of an output row. */
static inline size_t output_width(const model_config *config)
{
    return config->head_size ? config->head_size : config->d_model;
}

/* The same with norm to unit as layer l has them. */
model_config config_of_layer(const model_config *config, uint32_t l);

/* Whether a layer reads backwards, so that a run takes a whole sequence. */
int is_bidirectional(const model_config *config);

/* Rows that a run of n_steps gives: one for a pooled bidirectional model, else one a step. */
static inline size_t output_rows(const model_config *config, size_t n_steps)
{
    return is_bidirectional(config) && config->pool != B2S6_POOL_NONE ? 1 : n_steps;
}

/* A new tensor of zeros. The pointer is good until the next one is added. */
trained_tensor *trained_add(trained_model *model, const char *name, size_t rank, const size_t *shape);
void trained_remove(trained_model *model, const char *name);

/* The tensor called prefix followed by name, or NULL. */
trained_tensor *trained_find(const trained_model *model, const char *prefix, const char *name);

/* The safetensors file, from malloc. */
unsigned char *trained_write(const trained_model *model, size_t *size);

/* The tensors alone as a safetensors file with this JSON object as its metadata. */
unsigned char *trained_write_tensors(const trained_model *model, const char *metadata, size_t *size);

/* Reads a file that the project itself made (the stored cases): 0 if it is not as expected. Not for hostile input. */
int trained_read(trained_model *model, const unsigned char *data, size_t size);

void trained_copy(trained_model *to, const trained_model *from);
void trained_free(trained_model *model);

#endif
