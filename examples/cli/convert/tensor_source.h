/* tensor_source.h - where a checkpoint's tensors come from: today one safetensors file */
#ifndef B2S6_CLI_TENSOR_SOURCE_H
#define B2S6_CLI_TENSOR_SOURCE_H

#include "safetensors.h"
#include "tensor.h"

typedef safetensors tensor_source;

#endif
