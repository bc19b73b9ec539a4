/*
 * tokenizer.h - text to token ids and back, as Hugging Face's tokenizer.json says
 *
 *     unsigned char *table;                    the tokenizer as a block of bytes: to keep, to store in a model file
 *     size_t size;
 *     tokenizer_import(&table, &size, json, json_size, &m);
 *
 *     tokenizer t;
 *     tokenizer_open(&t, table, size, &m);     checks it once, uses it where it is
 *     tokenizer_encode(&t, &ids, text, text_size, TOKENIZER_AROUND, &m);
 *     ...
 *     tokenizer_close(&t);
 *
 * Byte-level BPE (GPT-2, GPT-NeoX, Llama 3, Qwen 2) and BPE of characters with byte fallback (Llama 2, Mistral). What a
 * tokenizer.json asks beyond that is refused by name. A tokenizer is one thread's at a time; any number of them may use one
 * table. docs/text.md describes the table and what is defined for text that is not UTF-8. Needs libc alone.
 */
#ifndef B2S6_CLI_TOKENIZER_H
#define B2S6_CLI_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "../../support/message.h"

typedef struct tokenizer tokenizer;

/* Ids that grow. Begins as zeros; free(ids) ends it. */
typedef struct token_list {
    int32_t *ids; /* (room), n of them used */
    size_t n, room;
} token_list;

/*
 * The table for a tokenizer.json of json_size bytes: *bytes_size bytes at *bytes, to be freed by the caller. 0, or -1 with
 * what is wrong, or not known here, in m.
 */
int tokenizer_import(unsigned char **bytes, size_t *bytes_size, const char *json, size_t json_size, message *m);

/* Opens a table, which must stay where it is until the tokenizer is closed. NULL, with the reason in m. */
tokenizer *tokenizer_open(const void *table, size_t size, message *m);

/* NULL is allowed. */
void tokenizer_close(tokenizer *t);

/* The vocabulary: ids are below this. Some may be no token; they are empty texts. */
size_t tokenizer_size(const tokenizer *t);

/*
 * TOKENIZER_AROUND  with the ids that the tokenizer puts before and after a text ("<s>")
 * TOKENIZER_PLAIN   control tokens that are written out in the text are text: for text from strangers
 */
#define TOKENIZER_AROUND 1u
#define TOKENIZER_PLAIN 2u

/* Appends the ids of a text. 0, or -1 (want of memory, a text of more than 2^31 - 1 bytes) with the list as it was. */
int tokenizer_encode(tokenizer *t, token_list *out, const void *text, size_t size, unsigned flags, message *m);

/* The bytes of one token; *special is 1 for a control token, and may be NULL. id < tokenizer_size. */
const unsigned char *tokenizer_token(const tokenizer *t, int32_t id, size_t *size, int *special);

/* Ids that the tokenizer puts before a text, for streams that begin without one; returns their number. out may be NULL. */
size_t tokenizer_before(const tokenizer *t, int32_t *out, size_t room);

/* The Unicode version of the letters, numbers and compositions that it knows. */
const char *tokenizer_unicode(void);

/* ------------------------------------------------------------------------------------------------------------- decoding */

/*
 * Ids to text as they come, in whole UTF-8 characters: what is the beginning of one waits for the rest. Begins as zeros.
 * Bytes that are no UTF-8 come out as they are.
 */
typedef struct token_decoder {
    unsigned char waiting[4];
    unsigned n_waiting;
    int started; /* some text is out */
} token_decoder;

/* Room that every token's text fits in, with what waited. */
#define TOKENIZER_TEXT_MAX (2048 + 4)

/*
 * The text that an id adds, to out (TOKENIZER_TEXT_MAX); returns its bytes. Control tokens are written out only if control is
 * not 0.
 */
size_t tokenizer_decode(const tokenizer *t, token_decoder *d, int32_t id, int control, unsigned char *out);

/* At the end: what still waits, which is no whole character. out as above. */
size_t tokenizer_decode_end(token_decoder *d, unsigned char *out);

#endif
