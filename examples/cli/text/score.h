/* score.h - how well a language model predicts a text */
#ifndef B2S6_CLI_SCORE_H
#define B2S6_CLI_SCORE_H

#include <stdint.h>
#include <stdio.h>

#include "../support/message.h"
#include "../support/progress.h"
#include "surprise_map.h"
#include "text_model.h"

/* How many tokens a run takes at once: more is hardly faster, and a wide vocabulary's rows take memory. */
size_t score_run(const text_model *t);

typedef struct score_job {
    const text_model *model;
    const b2s6_parallel *parallel; /* threads to work on, or NULL */
    size_t run;                    /* tokens at once; score_run is a good choice */
    uint64_t piece;                /* bytes of the pieces that each start from the beginning; 0: one stream */
    int plain;                     /* control tokens that are written out in the text are mere text */
    surprise_map *map;             /* NULL, or begun by the caller */
    progress *bar;                 /* NULL, or begun by the caller, in bytes */
} score_job;

typedef struct score {
    uint64_t n_bytes;
    uint64_t n_tokens; /* that were predicted: all, or all but the first if the model has nothing to begin a stream with */
    double bits;       /* of all of them together */
} score;

/*
 * Reads a file to its end. Of a model of bytes in constant memory, and what comes through a pipe is scored as it comes; for a
 * tokenizer a text is read whole, or piece by piece. 0 or -1.
 */
int score_file(score *result, const score_job *job, FILE *in, message *m);

#endif
