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

/* A symbol that waits for its merge with the next one, and who waits for the same merge after it. */
typedef struct merge_event {
    uint32_t symbol, next;
} merge_event;

/* All who wait for merges of a key: events, or TABLE_NONE. */
typedef struct merge_list {
    uint32_t key, head, tail;
} merge_list;

typedef struct merge_lists {
    merge_list *slots;   /* (n_slots, a power of two): n_lists of them by key, the others all TABLE_NONE */
    uint32_t *heap;      /* (n_slots): the keys of the n_heap lists that are not empty, the lowest first */
    merge_event *events; /* (events_room), n_events of them used */
    uint32_t *batch;     /* (room of the merger): the symbols of one list */
    size_t n_slots, n_lists, n_heap, n_events, events_room;
} merge_lists;

/* The merge of two tokens, as far as it is remembered. */
typedef struct merge_pair {
    uint32_t first, second; /* TABLE_NONE: nothing is remembered here */
    table_merge merge;
} merge_pair;

enum { MERGE_PAIRS_BITS = 12, MERGE_PAIRS = 1 << MERGE_PAIRS_BITS };

/* Working memory, kept from piece to piece, of one table. Begins as zeros; merger_free ends it. */
typedef struct merger {
    symbol *symbols; /* (room) */
    size_t room;
    merge_pair *pairs; /* (MERGE_PAIRS) */
    merge_lists lists;
    buffer kept;     /* a piece without the characters that have no token */
} merger;

/* Bytes of a piece at most. */
#define MERGE_SIZE_MAX 0x7fffffffu

/*
 * Appends the tokens of a piece, ids: the merges in the order of their keys, of equal ones the leftmost first. Time is
 * linear in the bytes of the piece, but for a logarithm of how many different merges wait. 0, or -1 for want of memory.
 */
int merge_piece(const table *t, merger *work, const unsigned char *piece, size_t size, token_list *out);

void merger_free(merger *work);

#endif
