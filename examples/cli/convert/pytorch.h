/*
 * pytorch.h - reads a file that torch.save made of a state_dict (pytorch_model.bin): a zip archive with a pickle and a file for
 * each storage
 *
 * The file may come from anyone. What the pickle says of a tensor is checked against the storages that are there: each is as
 * long as it says, and every tensor's elements are inside its storage.
 */
#ifndef B2S6_CLI_PYTORCH_H
#define B2S6_CLI_PYTORCH_H

#include <stddef.h>

#include "../support/message.h"
#include "pickle.h"
#include "tensor_source.h"
#include "zip.h"

typedef struct pytorch {
    zip archive;
    pickle state;
    char *names;  /* of the tensors, each with a zero after it */
} pytorch;

/* Whether a file begins as one that PyTorch wrote does, of its own day or from before 1.6 (which is then refused by name). */
int pytorch_is(const unsigned char *bytes, size_t size);

/* 0, or -1 with nothing to close. bytes must live as long as the result. */
int pytorch_open(pytorch *file, const unsigned char *bytes, size_t size, message *m);
void pytorch_close(pytorch *file);

/* Adds every tensor to a source, as of the file called name. 0 or -1. */
int pytorch_add(const pytorch *file, const char *name, tensor_source *s, message *m);

#endif
