/*
 * bind.h - takes the tensors of a checkpoint by name, one after another
 *
 * The first failure stays: after it every call does nothing, and bind_finish reports it. So a reader lists what it needs
 * and asks once, at the end.
 */
#ifndef B2S6_CLI_BIND_H
#define B2S6_CLI_BIND_H

#include <stddef.h>

#include "message.h"
#include "safetensors.h"
#include "tensor.h"

typedef struct binder {
    const safetensors *file;
    message *m;
    char prefix[64];  /* before every name: "layers.3.unit." */
    int failed;
} binder;

#define BIND_SHAPE(...) \
    (const size_t[]){ __VA_ARGS__ }, sizeof((const size_t[]){ __VA_ARGS__ }) / sizeof(size_t)

/* Sets the prefix: "final_norm."; "layers.", 3, ".unit.". */
void bind_prefix(binder *b, const char *prefix);
void bind_layer_prefix(binder *b, const char *before, unsigned layer, const char *behind);

/* The tensor of this name, which must be there, of this shape (BIND_SHAPE(...)), of a floating-point type, and finite. */
void bind_tensor(binder *b, tensor *t, const char *name, const size_t *dims, size_t n_dims);

/* Whether the file has a tensor of this name. */
int bind_has(const binder *b, const char *name);

/* Lets a tensor of this name be there that nothing needs. */
void bind_ignore(binder *b, const char *name);

/* 0; or -1 after a failure, or if the file has a tensor that nobody took. */
int bind_finish(binder *b);

#endif
