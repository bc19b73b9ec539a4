/*
 * pickle.h - the tensors that a state_dict names, read from a pickle that may hold anything
 *
 * A pickle is a program for a small machine, and Python's runs whatever function it names. This one has the opcodes and the
 * names that a state_dict of PyTorch needs, and refuses everything else; it calls nothing, follows nothing recursively, and its
 * memory is at most a few dozen times the pickle. Bytes of tensors are not here but in storages, which a pickle only names.
 */
#ifndef B2S6_CLI_PICKLE_H
#define B2S6_CLI_PICKLE_H

#include <stddef.h>
#include <stdint.h>

#include "../support/message.h"

#define PICKLE_BYTES_MAX (16u << 20)  /* a model of 4,096 layers takes half of it */
#define PICKLE_DIMS 8

/* A tensor as the pickle describes it; whether its storage is there and large enough is for the caller to see. */
typedef struct pickle_tensor {
    const char *name;             /* in the state_dict: (name_size) bytes of the pickle, no zero after them */
    size_t name_size;
    const char *key;              /* its storage's: (key_size) likewise */
    size_t key_size;
    const char *type;             /* "F32": as safetensors calls the type of the storage's values */
    size_t value_size;            /* bytes of one */
    uint64_t count;               /* values of the storage, as the pickle says */
    uint64_t offset;              /* of element 0, in values */
    size_t n_dims;
    uint64_t dims[PICKLE_DIMS], strides[PICKLE_DIMS];  /* in values, none negative */
} pickle_tensor;

typedef struct pickle {
    pickle_tensor *tensors;       /* (n_tensors), as the state_dict has them */
    size_t n_tensors;
} pickle;

/* 0, or -1 with nothing to close. bytes must live as long as the result. */
int pickle_read(pickle *p, const unsigned char *bytes, size_t size, message *m);
void pickle_close(pickle *p);

#endif
