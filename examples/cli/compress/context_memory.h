/*
 * context_memory.h - what a file itself has shown so far, to be mixed into a model's prediction of its next byte
 *
 * A model knows the world that it was trained on; these few memories know this file. Contexts: which bytes came after the
 * last one, two and four bytes before. A match: what came after the last six bytes the last time that they occurred together.
 * Each memory moves a share of all frequencies to the bytes that it expects. The share is its trust, learned for memories of
 * equal experience together. Integers throughout (docs/compress.md); the size is fixed.
 */
#ifndef B2S6_CLI_CONTEXT_MEMORY_H
#define B2S6_CLI_CONTEXT_MEMORY_H

#include <stdint.h>

typedef struct context_memory context_memory;

/* At the beginning of a file; NULL if there is no memory for it. */
context_memory *context_memory_create(void);
void context_memory_destroy(context_memory *m);

/* Changes the frequencies (256) of the next byte, their sum stays; each stays at least 1. Then says which byte it was. */
void context_memory_mix(context_memory *m, uint32_t *frequencies);
void context_memory_take(context_memory *m, unsigned char byte);

#endif
