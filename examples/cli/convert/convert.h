/*
 * convert.h - checkpoints to .b2s6 files, as functions: nothing is printed, nothing but the source is touched
 *
 * Each returns 0, with *bytes the file (n_bytes of it, to be given to free), or -1, with one line in error that says what is
 * wrong and where.
 */
#ifndef B2S6_CLI_CONVERT_H
#define B2S6_CLI_CONVERT_H

#include <stddef.h>

#include "byte_sink.h"
#include "named_entry.h"

typedef struct convert_options {
    const char *type;            /* how matrices are stored: "f32", "f16", "q8" or "q4" */
    const char *states;          /* "plain", "compensated", or NULL: as the checkpoint says */
    const named_entry *entries;  /* (n_entries) that the file takes along, in any order */
    size_t n_entries;
} convert_options;

/* Told how far a conversion is: done of total bytes. */
typedef struct convert_watch {
    void (*tell)(void *context, uint64_t done, uint64_t total);
    void *context;
} convert_watch;

/*
 * path: a safetensors file with a B2S6 configuration, or a folder with config.json and weights (docs/checkpoint.md). The file
 * goes into the sink; memory does not grow with it or with the checkpoint. The sink's begin is not called before everything
 * has been checked but what roundings do to values. tokenizer: a tokenizer.json, "none", or NULL for the folder's own if it
 * has one; an entry "tokenizer" goes first. watch: or NULL. report gets one line that says what was made.
 */
int convert_into(const char *path, const char *tokenizer, const convert_options *options, const byte_sink *sink,
                 const convert_watch *watch, char *report, size_t report_size, char *error, size_t error_size);

/* The same into memory. */
int convert_checkpoint(const char *path, const convert_options *options, unsigned char **bytes, size_t *n_bytes, char *error,
                       size_t error_size);

/* The same with a tokenizer.json of the caller's choice, or "none". NULL: a folder's own. An entry "tokenizer" goes first. */
int convert_checkpoint_with(const char *path, const char *tokenizer, const convert_options *options, unsigned char **bytes,
                            size_t *n_bytes, char *error, size_t error_size);

/* A safetensors file in memory. name: what the file calls its source; its last part is taken. */
int convert_safetensors_memory(const unsigned char *data, size_t size, const char *name, const convert_options *options,
                               unsigned char **bytes, size_t *n_bytes, char *error, size_t error_size);

/* The two files of a folder in memory: config.json, and weights as safetensors or as PyTorch saves them. */
int convert_folder_memory(const char *config, size_t config_size, const unsigned char *data, size_t size, const char *name,
                          const convert_options *options, unsigned char **bytes, size_t *n_bytes, char *error,
                          size_t error_size);

#endif
