/*
 * text_model.h - a language model and what its tokens are: those of the tokenizer that its file carries, or bytes
 *
 * The file of a model of tokens carries the tokenizer as the named entry "tokenizer" and, as metadata, the ids that begin and
 * end a text (bos_token_id, eos_token_id; docs/text.md). A model whose vocabulary is the 256 bytes, or these and a few tokens
 * that are none (byte_model.h), needs neither.
 */
#ifndef B2S6_CLI_TEXT_MODEL_H
#define B2S6_CLI_TEXT_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "b2s6.h"
#include "../support/message.h"
#include "tokenizer/tokenizer.h"

enum { TEXT_IDS_ROOM = 16 };

typedef struct text_model {
    const b2s6_model *model; /* NULL: a tokenizer alone */
    b2s6_model *owned;       /* the same, if text_model_open has opened it */
    tokenizer *tokenizer;    /* NULL: tokens are bytes */
    size_t width;            /* logits of a row: the model's vocabulary */
    size_t n_tokens;         /* ids below this are the tokenizer's; a larger vocabulary has ids that mean nothing */
    size_t n_scored;         /* logits of a row that share the probability: all of them, of bytes those of the bytes alone */
    int32_t before[TEXT_IDS_ROOM], ends[TEXT_IDS_ROOM]; /* what a stream begins with; ids that end a text */
    size_t n_before, n_ends;
} text_model;

/*
 * Opens the model file at path and its vocabulary. isa: the instruction set, or NULL. 0, or -1 with the line in m.
 * text_model_close closes the model, too.
 */
int text_model_open(text_model *t, const char *path, const char *isa, message *m);
void text_model_close(text_model *t);

/* The vocabulary alone of a model that the caller has opened and closes after text_model_leave. 0 or -1. */
int text_model_take(text_model *t, const b2s6_model *model, message *m);
void text_model_leave(text_model *t);

int text_model_ends(const text_model *t, int32_t id);

/* Appends the ids of a text, without those before it. plain: control tokens that are written out are mere text. 0 or -1. */
int text_encode(const text_model *t, token_list *list, const void *text, size_t size, int plain, message *m);

/* As tokenizer_decode and its end: out has TOKENIZER_TEXT_MAX bytes. An id that is no token is no text. */
size_t text_decode(const text_model *t, token_decoder *d, int32_t id, int control, unsigned char *out);

#endif
