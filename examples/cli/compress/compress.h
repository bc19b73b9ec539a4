/*
 * compress.h - a file into a smaller one by a model's predictions, and back
 *
 * One pass in constant memory, whatever the size; either end can be a pipe.
 */
#ifndef B2S6_CLI_COMPRESS_H
#define B2S6_CLI_COMPRESS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "b2s6.h"
#include "../support/message.h"
#include "../support/progress.h"

typedef struct compress_job {
    const b2s6_model *model; /* a byte model */
    FILE *in, *out;
    const char *in_name, *out_name; /* for messages */
    const b2s6_parallel *parallel; /* threads to work on, or NULL */
    size_t run;              /* bytes that compress hands to the model at once, from 1; no matter for the result */
    progress *bar;           /* begun by the caller; may be NULL */
    uint64_t n_in, n_out;    /* set: bytes read and written */
} compress_job;

/* 0, or -1 with the line in m. out is not flushed, and after a failure holds some of the output. */
int compress(compress_job *j, message *m);
int decompress(compress_job *j, message *m);

#endif
