/*
 * convert.h - checkpoints to .b2s6 files, as functions: nothing is printed, nothing but the source is touched
 *
 * type says how matrices are stored: "f32", "f16", "q8" or "q4". Each returns 0, with *bytes the file (n_bytes of it, to be
 * given to free), or -1, with one line in error that says what is wrong and where.
 */
#ifndef B2S6_CLI_CONVERT_H
#define B2S6_CLI_CONVERT_H

#include <stddef.h>

/* path: a safetensors file with a B2S6 configuration, or a folder with Hugging Face's config.json and model.safetensors. */
int convert_checkpoint(const char *path, const char *type, unsigned char **bytes, size_t *n_bytes, char *error,
                       size_t error_size);

/* A safetensors file in memory. name: what the file calls its source; its last part is taken. */
int convert_safetensors_memory(const unsigned char *data, size_t size, const char *name, const char *type,
                               unsigned char **bytes, size_t *n_bytes, char *error, size_t error_size);

/* Hugging Face's two files in memory. */
int convert_hf_memory(const char *config, size_t config_size, const unsigned char *data, size_t size, const char *name,
                      const char *type, unsigned char **bytes, size_t *n_bytes, char *error, size_t error_size);

#endif
