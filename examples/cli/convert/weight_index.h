/*
 * weight_index.h - the index of a checkpoint in several files: which tensor is in which (model.safetensors.index.json)
 */
#ifndef B2S6_CLI_WEIGHT_INDEX_H
#define B2S6_CLI_WEIGHT_INDEX_H

#include <stddef.h>

#include "../support/message.h"
#include "tensor_source.h"

#define WEIGHT_FILES_MAX 4096

typedef struct weight_place {
    const char *tensor, *file;
} weight_place;

typedef struct weight_index {
    weight_place *places;  /* (n_places), ascending by tensor */
    size_t n_places;
    const char **files;    /* (n_files), ascending, each once */
    size_t n_files;
    char *strings;         /* what all of these point into */
} weight_index;

/*
 * Reads it, and refuses names of files that are not plain: a checkpoint's parts are beside their index. 0, or -1 with nothing to
 * close.
 */
int weight_index_read(weight_index *index, const char *text, size_t size, message *m);
void weight_index_close(weight_index *index);

/* Whether a sorted source has exactly the tensors of the index, each in its file. 0 or -1. */
int weight_index_check(const weight_index *index, const tensor_source *s, message *m);

#endif
