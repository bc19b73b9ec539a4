/*
 * convert.h - checkpoints to .b2s6 files, as functions: nothing is printed, nothing but the source is touched
 *
 * Each returns 0, with *bytes the file (n_bytes of it, to be given to free), or -1, with one line in error that says what is
 * wrong and where.
 */
#ifndef B2S6_CLI_CONVERT_H
#define B2S6_CLI_CONVERT_H

#include <stddef.h>

#include "named_entry.h"

typedef struct convert_options {
    const char *type;            /* how matrices are stored: "f32", "f16", "q8" or "q4" */
    const char *states;          /* "plain", "compensated", or NULL: as the checkpoint says */
    const named_entry *entries;  /* (n_entries) that the file takes along, in any order */
    size_t n_entries;
} convert_options;

/* path: a safetensors file with a B2S6 configuration, or a folder with Hugging Face's config.json and model.safetensors. */
int convert_checkpoint(const char *path, const convert_options *options, unsigned char **bytes, size_t *n_bytes, char *error,
                       size_t error_size);

/* The same with a tokenizer.json of the caller's choice, or "none". NULL: a folder's own. An entry "tokenizer" goes first. */
int convert_checkpoint_with(const char *path, const char *tokenizer, const convert_options *options, unsigned char **bytes,
                            size_t *n_bytes, char *error, size_t error_size);

/* A safetensors file in memory. name: what the file calls its source; its last part is taken. */
int convert_safetensors_memory(const unsigned char *data, size_t size, const char *name, const convert_options *options,
                               unsigned char **bytes, size_t *n_bytes, char *error, size_t error_size);

/* Hugging Face's two files in memory. */
int convert_hf_memory(const char *config, size_t config_size, const unsigned char *data, size_t size, const char *name,
                      const convert_options *options, unsigned char **bytes, size_t *n_bytes, char *error,
                      size_t error_size);

#endif
