/*
 * conversation.h - everything that the next token of a text depends on, in a file: to go on later, on any machine
 *
 * docs/text.md has the file, byte by byte.
 */
#ifndef B2S6_CLI_CONVERSATION_H
#define B2S6_CLI_CONVERSATION_H

#include <stddef.h>
#include <stdint.h>

#include "../support/message.h"
#include "token_stream.h"
#include "tokenizer/tokenizer.h"

enum { RECENT_MAX = 64 }; /* tokens that the repetition penalty looks back at */

typedef struct conversation {
    uint64_t generator;         /* of the random numbers */
    int32_t recent[RECENT_MAX]; /* (n_recent), oldest first */
    size_t n_recent;
    token_decoder decoder;      /* what of a character is still to come */
} conversation;

void conversation_take(conversation *c, int32_t token);

/*
 * Takes up the conversation in a file: c and s, a stream of the same model, whose tokenizer has n_tokens. 1; 0 if there is no
 * such file, with c and s as they were; or -1, and s is of no use.
 */
int conversation_load(conversation *c, token_stream *s, size_t n_tokens, const char *path, message *m);

/* The file appears complete or not at all. 0 or -1. */
int conversation_save(const conversation *c, const token_stream *s, const char *path, message *m);

#endif
