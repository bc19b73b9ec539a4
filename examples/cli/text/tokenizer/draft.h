/* draft.h - a tokenizer on its way from tokenizer.json to a table */
#ifndef B2S6_CLI_TOKENIZER_DRAFT_H
#define B2S6_CLI_TOKENIZER_DRAFT_H

#include "buffer.h"
#include "table.h"

enum {
    TOKEN_PRESENT = 1, /* the id is used */
    TOKEN_FOUND = 2,   /* merging can come to it: it is in the index */
    TOKEN_SPECIAL = 4  /* control, not text */
};

typedef struct draft_token {
    uint32_t text; /* in texts */
    uint16_t size;
    uint8_t flags;
    uint32_t first_merge, n_merges; /* its last merge in the order of the file, TABLE_NONE if there is none */
} draft_token;

/* A merge into a token, of its first `left` bytes and the rest. */
typedef struct draft_merge {
    uint32_t token;
    uint32_t other; /* the merge into the same token before it, or TABLE_NONE */
    uint8_t left;
    uint8_t dead;   /* given again later */
} draft_merge;

typedef struct draft_added {
    uint32_t text, id; /* text in texts */
    uint16_t size, flags;
    const unsigned char *bytes; /* the text, once texts grows no more */
} draft_added;

typedef struct draft_set {
    draft_added *entries;
    size_t n;
} draft_set;

typedef struct draft {
    uint32_t flags, split;
    buffer texts;
    draft_token *tokens; /* (n_tokens), by id */
    uint32_t n_tokens;
    uint32_t *slots;     /* (n_slots, a power of two): ids by text, or TABLE_NONE; for draft_find */
    uint32_t n_slots;
    draft_merge *merges; /* (n_merges), in order */
    uint32_t n_merges;
    draft_set added[ADDED_SETS];
    uint32_t unknown;    /* id or TABLE_NONE */
    uint32_t bytes[256]; /* ids or TABLE_NONE */
    uint32_t before[TABLE_AROUND_MAX], after[TABLE_AROUND_MAX];
    size_t n_before, n_after;
} draft;

void draft_free(draft *d);

/* The id of a text that is in the index, or TABLE_NONE. */
uint32_t draft_find(const draft *d, const unsigned char *text, size_t size);

/* Puts a token into the index. It must have a text that is not there yet. */
void draft_index(draft *d, uint32_t id);

/* The table: *size bytes at *bytes, to be freed by the caller. 0, or -1 with the reason in m. */
int draft_write(const draft *d, unsigned char **bytes, size_t *size, message *m);

#endif
