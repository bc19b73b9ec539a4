/*
 * byte_model.h - a language model of bytes, and the stream that it reads
 *
 * A byte model reads one byte a step and answers with 256 scores (logits) of what the next byte will be. A stream begins
 * from the zero state as if after the end of a line, so that there is a prediction for the first byte too.
 *
 * A model may have some tokens more, as MambaByte's have: ids 0 to 255 are the bytes, and ids from 256 on, for padding or the ends
 * of texts, are none. The stream never reads one, and their scores are dropped, so that the 256 others share all probability.
 */
#ifndef B2S6_CLI_BYTE_MODEL_H
#define B2S6_CLI_BYTE_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "b2s6.h"
#include "../support/message.h"
#include "token_stream.h"

#define BYTE_VALUES 256
#define BYTE_IDS_MAX 320 /* 256 and some tokens that are none, rounded up to a multiple of 64 */

/* The byte that a model is told before the first one. */
#define BYTE_BEFORE_FIRST '\n'

/* How many bytes a run takes at once by default: more is hardly faster. */
#define BYTE_RUN 256

/*
 * Opens a model, checks all of it and that it is a byte model. isa: the instruction set to use, or NULL. NULL on failure,
 * with the line in m.
 */
b2s6_model *byte_model_open(const char *path, const char *isa, message *m);

/* 0 if an open model is a byte model, else -1 with the reason in m. */
int byte_model_check(const b2s6_model *model, message *m);

uint64_t byte_model_fingerprint(const b2s6_model *model);

typedef struct byte_stream {
    token_stream tokens;
    int32_t *ids;          /* (run) */
    float *wide;           /* (run, width) if the model's rows have more than 256 scores, else NULL */
} byte_stream;

/*
 * run: bytes that byte_stream_run takes at most, from 1. parallel: threads to work on, or NULL. 0, or -1 with nothing to
 * release.
 */
int byte_stream_open(byte_stream *s, const b2s6_model *model, size_t run, const b2s6_parallel *parallel, message *m);
void byte_stream_close(byte_stream *s);

/* The scores for the next byte, row (256) or NULL. byte_stream_take then says which byte it was. 0 or -1. */
int byte_stream_next(byte_stream *s, float *row, message *m);
void byte_stream_take(byte_stream *s, unsigned char byte);

/* The same for n bytes that are known, n <= run: rows (n, 256), row i the scores for bytes[i]. Equal bits, less time. */
int byte_stream_run(byte_stream *s, const unsigned char *bytes, size_t n, float *rows, message *m);

#endif
