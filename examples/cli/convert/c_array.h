/* c_array.h - the two files of b2s6 embed */
#ifndef B2S6_CLI_C_ARRAY_H
#define B2S6_CLI_C_ARRAY_H

#include <stdio.h>

#include "b2s6.h"

typedef struct embedding {
    const char *name;    /* an identifier: NAME_model, NAME_SIZE, ... */
    const char *source;  /* the model file's path, for a comment */
    const char *header;  /* file name without its ending */
    const unsigned char *bytes;
    size_t size, state_size;
    size_t steps, workspace_size;  /* 0: not asked for */
    const b2s6_model *model;       /* opened from the bytes */
    b2s6_model_info info;
} embedding;

/* Errors stay with the stream. */
void embed_header(FILE *f, const embedding *e);
void embed_source(FILE *f, const embedding *e);

#endif
