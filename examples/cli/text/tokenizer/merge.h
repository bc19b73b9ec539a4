/* merge.h - byte pair encoding of one piece of text */
#ifndef B2S6_CLI_TOKENIZER_MERGE_H
#define B2S6_CLI_TOKENIZER_MERGE_H

#include "buffer.h"
#include "table.h"
#include "tokenizer.h"

/* A symbol: a part of the piece that is one token so far. */
typedef struct symbol {
    uint32_t start, size;    /* bytes of the piece */
    uint32_t token;          /* its rank; | SYMBOL_APART: takes part in no merge */
    uint32_t key;            /* of the merge with the next one, or TABLE_NONE */
    uint32_t next, previous; /* symbols, or TABLE_NONE */
} symbol;

#define SYMBOL_APART 0x80000000u

/* Working memory, kept from piece to piece. Begins as zeros; merger_free ends it. */
typedef struct merger {
    symbol *symbols; /* (room) */
    uint64_t *heap;  /* (2 room): key << 32 | symbol */
    size_t room;
    buffer kept;     /* a piece without the characters that have no token */
} merger;

/* Bytes of a piece at most. */
#define MERGE_SIZE_MAX 0x7fffffffu

/*
 * Appends the tokens of a piece, ids: the merges in the order of their keys, of equal ones the leftmost first. Time is n log n
 * in the bytes of the piece. 0, or -1 for want of memory.
 */
int merge_piece(const table *t, merger *work, const unsigned char *piece, size_t size, token_list *out);

void merger_free(merger *work);

#endif
