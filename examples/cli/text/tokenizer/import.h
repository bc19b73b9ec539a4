/* import.h - what the parts of reading a tokenizer.json share */
#ifndef B2S6_CLI_TOKENIZER_IMPORT_H
#define B2S6_CLI_TOKENIZER_IMPORT_H

#include "../../support/json.h"
#include "draft.h"

/* The parts of the file, as json_read_fields found them; text is NULL for what is not there or null. */
typedef struct import_parts {
    json version, truncation, padding, added_tokens, normalizer, pre_tokenizer, post_processor, decoder, model;
} import_parts;

/* Flags and split of the draft from normalizer, pre-tokenizer and decoder. 0 or -1. */
int import_pipeline(draft *d, const import_parts *parts, message *m);

/* Ids around a text, from the post-processor; needs the vocabulary. */
int import_around(draft *d, json post_processor, message *m);

/* Vocabulary, added tokens and merges; needs the flags. */
int import_vocabulary(draft *d, const import_parts *parts, message *m);

/* Whether a value is there and not null. */
static inline int import_given(json value)
{
    return value.text && json_kind_of(value) != JSON_NULL;
}

#endif
