/*
 * tensor_source.h - the tensors of a checkpoint by name, whatever files they come from
 *
 * The readers of files (safetensors.c, pytorch.c) add theirs, with everything checked that the file itself can be wrong about;
 * tensor_source_sort ends that. Who takes tensors (take_tensors.c) sees no file any more: an entry is a view of bytes that live as
 * long as the source's files are open.
 */
#ifndef B2S6_CLI_TENSOR_SOURCE_H
#define B2S6_CLI_TENSOR_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "../support/message.h"
#include "tensor.h"

typedef struct tensor_entry {
    tensor view;              /* unless problem says why there is none: then only its name is right */
    const char *file;         /* its file's name for messages, "model-00001-of-00002.safetensors"; "": there is but one */
    char problem[48];         /* "I64 where F32, F16, BF16 or F64 is needed"; empty: none */
    int used;                 /* whether anyone has asked for it */
} tensor_entry;

/* A string that a checkpoint carries beside its tensors. */
typedef struct metadata_pair {
    const char *key, *value;
} metadata_pair;

/*
 * Told how many more bytes of tensors have been read; whoever holds the files can let go of pages here, and show how far it
 * is. It changes no byte.
 */
typedef struct tensor_watch {
    void (*read)(void *context, uint64_t n_bytes);
    void *context;
} tensor_watch;

typedef struct tensor_source {
    tensor_entry *entries;    /* (n_entries), ascending by name once sorted */
    size_t n_entries, room;
    const metadata_pair *metadata;  /* (n_metadata), ascending by key; the file's */
    size_t n_metadata;
    const char *where;        /* what a tensor is missing from: "pytorch_model.bin"; "": the only file there is */
    tensor_watch watch;       /* read may be NULL */
} tensor_source;

/* A new entry at the end, all zero but its name and file, which must live as long as the source. NULL without memory. */
tensor_entry *tensor_source_add(tensor_source *s, const char *name, const char *file);

/* The type of an entry by its name in the formats ("F32"), or the problem that no weight is of such a type. */
void tensor_entry_set_type(tensor_entry *e, const char *type);

/* Shape and strides in elements of an entry; more than TENSOR_DIMS dimensions are a problem of the entry. */
void tensor_entry_set_shape(tensor_entry *e, const uint64_t *dims, const uint64_t *strides, size_t n_dims);

/* Before the first look-up. A name that comes twice is refused. 0 or -1. */
int tensor_source_sort(tensor_source *s, message *m);

/* NULL if there is none. */
tensor_entry *tensor_source_find(const tensor_source *s, const char *name);

/* The value of a metadata key, or NULL. */
const char *tensor_source_metadata(const tensor_source *s, const char *key);

/* Says that so many bytes of tensors have been read. */
void tensor_source_read(const tensor_source *s, uint64_t n_bytes);

/* "FILE: " before what is said of an entry; empty if there is but one file. */
const char *tensor_file_prefix(char *text, size_t size, const char *file);

void tensor_source_free(tensor_source *s);

#endif
