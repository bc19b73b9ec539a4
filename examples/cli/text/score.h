/* score.h - how well a byte model predicts a file */
#ifndef B2S6_CLI_SCORE_H
#define B2S6_CLI_SCORE_H

#include <stdint.h>
#include <stdio.h>

#include "../support/message.h"
#include "../support/progress.h"
#include "byte_model.h"
#include "surprise_map.h"

typedef struct score {
    uint64_t n_bytes;
    double bits; /* of all bytes together */
} score;

/*
 * Reads a file to its end, as one stream or, if piece is not 0, in pieces of so many bytes that each start from the
 * beginning. s: a stream at its beginning. map and bar: NULL, or begun by the caller. Constant memory; what comes through a
 * pipe is scored as it comes. 0 or -1.
 */
int score_file(score *result, byte_stream *s, FILE *in, uint64_t piece, surprise_map *map, progress *bar, message *m);

#endif
