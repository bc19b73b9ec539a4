/*
 * hugging_face.h - writes a mamba model of ours as a checkpoint of Hugging Face's MambaForCausalLM
 *
 * The model must be what that class can hold: tokens, mamba blocks, rms norms, an S6 unit and a head. Beside the tensors of
 * our layout it may have layers.L.in_proj.bias, layers.L.out_proj.bias (all layers, both) and lack layers.L.conv.bias.
 */
#ifndef TEST_HUGGING_FACE_H
#define TEST_HUGGING_FACE_H

#include "generate.h"

/* The configuration of such a model. */
void hugging_face_config(model_config *config, random_source *random);

/* Adds the biases that MambaForCausalLM has with use_bias. */
void hugging_face_add_biases(trained_model *model, random_source *random);

/* Writes folder/config.json and folder/model.safetensors; 0 on failure. */
int hugging_face_write(const trained_model *model, const char *folder);

#endif
