/* checkpoints.h - safetensors files for tests of the converter: taken as they are, altered in their text, and converted */
#ifndef TEST_CHECKPOINTS_H
#define TEST_CHECKPOINTS_H

#include <stddef.h>

#include "trained.h"

/* A safetensors file in memory of exactly its size. */
typedef struct checkpoint_file {
    unsigned char *bytes;
    size_t size;
} checkpoint_file;

/* A small model with every kind of tensor that its block has: s4 (tokens) or mamba (low-rank delta). */
void small_model(trained_model *model, b2s6_block block);

checkpoint_file checkpoint_of(const trained_model *model);
checkpoint_file checkpoint_copy(const checkpoint_file *file);
checkpoint_file checkpoint_from(const char *header, size_t data_size); /* with data of zeros */
void checkpoint_release(checkpoint_file *file);

/*
 * Replaces the first `from` in the header by `to` and corrects the header's length. In both ' stands for a quote of the
 * configuration, which as a string inside JSON has its quotes escaped. The test fails if there is no `from`.
 */
void checkpoint_edit(checkpoint_file *file, const char *from, const char *to);

/* The file is refused with an error of one line that has `text` in it, and nothing else happens. */
void check_refused(const checkpoint_file *file, const char *text);
void check_refused_as(const char *type, const checkpoint_file *file, const char *text);
void check_refused_hf(const char *config, const checkpoint_file *file, const char *text);

/* The .b2s6 file, from malloc; the test fails if there is none. */
unsigned char *check_converts(const checkpoint_file *file, size_t *size);

#endif
