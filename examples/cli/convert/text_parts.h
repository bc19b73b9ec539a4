/*
 * text_parts.h - what a language model's file takes along for text: its tokenizer, and the ids that begin and end a text
 *
 * The tokenizer becomes the named entry "tokenizer", a table (docs/text.md); the ids become metadata, as
 * bos_token_id and eos_token_id. Whoever reads a text model (text/text_model.h) finds them there.
 */
#ifndef B2S6_CLI_TEXT_PARTS_H
#define B2S6_CLI_TEXT_PARTS_H

#include "../support/json.h"
#include "checkpoint.h"
#include "named_entry.h"

#define TOKENIZER_ENTRY "tokenizer"
#define TEXT_BEGINS_KEY "bos_token_id"
#define TEXT_ENDS_KEY "eos_token_id"

enum { TEXT_IDS_MAX = 16 };

/* Ids that a configuration gives; none: n = 0. */
typedef struct text_ids {
    uint32_t ids[TEXT_IDS_MAX];
    size_t n;
    int given; /* also as null, which says that there are none */
} text_ids;

typedef struct text_parts {
    unsigned char *table;       /* the tokenizer's; NULL: the model gets none */
    size_t table_size, n_tokens;
    text_ids begins, ends;
    text_ids end_of_text;       /* the tokenizer's control token of that name, if it has one */
    char begins_text[160], ends_text[160]; /* as metadata */
} text_parts;

/*
 * Reads what goes into the file. folder: of the checkpoint, NULL if it is a single file. tokenizer: a tokenizer.json, "none",
 * or NULL for the folder's own if it has one. has_table: the user brings a table as an entry, only the ids are read. 0, or -1
 * with nothing to free.
 */
int text_parts_read(text_parts *t, const char *folder, const char *tokenizer, int has_table, message *m);
void text_parts_free(text_parts *t);

/* Whether they fit the model. 0 or -1. */
int text_parts_check(const text_parts *t, const checkpoint_config *c, message *m);

/* The pairs of pairs (n), and those that t adds to them: keys that are there stay. From malloc; NULL for want of memory. */
metadata_pair *text_parts_metadata(const text_parts *t, const metadata_pair *pairs, size_t n, size_t *n_all);

#endif
