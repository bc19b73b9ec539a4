/*
 * take_tensors.h - takes the tensors of a checkpoint by name, one after another
 *
 * The first failure stays: after it every call does nothing, and taker_finish reports it. So a reader lists what it needs
 * and asks once, at the end.
 */
#ifndef B2S6_CLI_TAKE_TENSORS_H
#define B2S6_CLI_TAKE_TENSORS_H

#include <stddef.h>

#include "../support/message.h"
#include "tensor_source.h"

typedef struct tensor_taker {
    const tensor_source *source;
    message *m;
    char prefix[64];  /* before every name: "layers.3.unit." */
    int failed;
} tensor_taker;

#define SHAPE(...) \
    (const size_t[]){ __VA_ARGS__ }, sizeof((const size_t[]){ __VA_ARGS__ }) / sizeof(size_t)

/* Sets the prefix: "final_norm."; "layers.", 3, ".unit.". */
void take_prefix(tensor_taker *b, const char *prefix);
void take_layer_prefix(tensor_taker *b, const char *before, unsigned layer, const char *after);

/* The tensor of this name, which must be there, of this shape (SHAPE(...)), of a floating-point type, and finite. */
void take_tensor(tensor_taker *b, tensor *t, const char *name, const size_t *dims, size_t n_dims);

/* Whether the checkpoint has a tensor of this name. */
int taker_has(const tensor_taker *b, const char *name);

/* Lets a tensor of this name be there that nothing needs. */
void taker_ignore(tensor_taker *b, const char *name);

/* 0; or -1 after a failure, or if the checkpoint has a tensor that nobody took. */
int taker_finish(tensor_taker *b);

#endif
