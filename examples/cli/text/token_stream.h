/*
 * token_stream.h - the stream that a language model of tokens reads, bytes or others
 *
 * The state reads each token one step late: `last` is the newest one, which it has not read, and its answer to that are the
 * logits of the token to come. So every token of a text is predicted, the first one by what a stream begins with.
 */
#ifndef B2S6_CLI_TOKEN_STREAM_H
#define B2S6_CLI_TOKEN_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "b2s6.h"
#include "../support/message.h"
#include "../support/progress.h"

#define NO_TOKEN (-1)

typedef struct token_stream {
    b2s6_state *state;
    size_t width;          /* logits of a row */
    size_t run;            /* tokens that token_stream_run takes at most */
    size_t room;           /* that the library is handed at once: some more, so that nothing is left for a step alone */
    int32_t last;          /* the token that the state has not read yet; NO_TOKEN: none */
    int32_t *tokens;       /* (room) */
    void *workspace;
    size_t workspace_size;
    const b2s6_parallel *parallel;
} token_stream;

/* run: as above, from 1. parallel: threads to work on, or NULL. 0, or -1 with nothing to release. */
int token_stream_open(token_stream *s, const b2s6_model *model, size_t run, const b2s6_parallel *parallel, message *m);
void token_stream_close(token_stream *s);

/* Back to the beginning, with the ids that a stream begins with; NULL if n is 0: then nothing predicts the first token. */
int token_stream_begin(token_stream *s, const int32_t *before, size_t n, message *m);

/* The logits of the next token, row (width) or NULL, with last not NO_TOKEN. token_stream_take then says which it was. */
int token_stream_next(token_stream *s, float *row, message *m);
void token_stream_take(token_stream *s, int32_t token);

/*
 * The same for n tokens that are known, n <= run: rows (n, width), row i the logits of tokens[i]; last is not NO_TOKEN. Equal
 * bits, less time.
 */
int token_stream_run(token_stream *s, const int32_t *tokens, size_t n, float *rows, message *m);

/*
 * Reads any number of tokens, in runs, and answers to the newest alone: row (width), the logits of what comes next, and last
 * is NO_TOKEN then. With row NULL the newest token stays unread, in last. For a row there must be a token, last or another.
 * bar: NULL, or begun by the caller with the number of tokens.
 */
int token_stream_read(token_stream *s, const int32_t *tokens, size_t n, float *row, progress *bar, message *m);

#endif
