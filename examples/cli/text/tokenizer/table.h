/*
 * table.h - a tokenizer as one block of bytes, used where it is: in a file, a mapping, flash
 *
 * The layout is described in docs/text.md. Numbers are little-endian and read byte by byte: any alignment, any machine.
 * table_open checks all of a table once; after that nothing here reads outside it, whatever it holds.
 *
 * Tokens are numbered in the order of their merges ("ranks"), which is that of their ids for every tokenizer that was trained
 * in the usual way; else the table holds both ways between ranks and ids.
 *
 * A merge of two neighbours into a token is found by the text that they make together: the token of that text, and whether
 * one of its splits falls where the two meet. So merges cost one byte each. Its key orders the merges: rank * 256 + split.
 */
#ifndef B2S6_CLI_TOKENIZER_TABLE_H
#define B2S6_CLI_TOKENIZER_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "../../support/message.h"

#define TABLE_NONE 0xffffffffu /* no token, no key */

enum {
    TABLE_TOKENS_MAX = 1 << 20,
    TABLE_TEXT_MAX = 2048,   /* bytes of a token */
    TABLE_SPLITS_MAX = 254,  /* of a token */
    TABLE_BLOCK = 16,        /* tokens that share a place */
    TABLE_BUCKET_MAX = 64,   /* tokens of one bucket of the index */
    TABLE_ADDED_MAX = 65535, /* added tokens of one kind */
    TABLE_AROUND_MAX = 16    /* ids before or after a text */
};

/* What a tokenizer does besides merging. */
enum {
    TABLE_BYTE_LEVEL = 1 << 0,       /* symbols are bytes, else characters */
    TABLE_BYTE_FALLBACK = 1 << 1,    /* characters without a token become <0x..> */
    TABLE_FUSE_UNKNOWN = 1 << 2,     /* unknown characters side by side are one token */
    TABLE_NFC = 1 << 3,              /* text is composed first */
    TABLE_BLANKS_TO_MARKS = 1 << 4,  /* normalizing: blanks become marks, U+2581, */
    TABLE_PREPEND_MARK = 1 << 5,     /* and a mark comes before each piece of text between added tokens */
    TABLE_METASPACE = 1 << 6,        /* the same two, but after added tokens were looked for in normalized text, */
    TABLE_PREPEND_UNLESS = 1 << 7,   /* and the mark (byte level: a blank) only where none is there, */
    TABLE_PREPEND_FIRST = 1 << 8,    /* and at the beginning of the whole text only */
    TABLE_SPLIT_AT_MARKS = 1 << 9,   /* pieces end before a mark */
    TABLE_WORDS_APART = 1 << 10,     /* no token has a mark after another character: pieces may be cut there */
    TABLE_IGNORE_MERGES = 1 << 11,   /* a piece that is a token is that token, whatever merging it would give */
    TABLE_MARKS_TO_BLANKS = 1 << 12, /* decoding: marks become blanks */
    TABLE_STRIP_BLANK = 1 << 13,     /* decoding: one blank less at the beginning */
    TABLE_STRIP_MARKS = 1 << 14,     /* decoding: no marks in the first token */
    TABLE_FLAGS = (1 << 15) - 1
};

/* How text is cut into pieces before merging. */
enum { SPLIT_NONE, SPLIT_GPT2, SPLIT_LLAMA3, SPLIT_QWEN2, N_SPLITS };

enum {
    SECTION_PLACES,   /* u32 (n_tokens / TABLE_BLOCK + 1): where the records of so many tokens begin in RECORDS */
    SECTION_OFFSETS,  /* u16 (n_tokens + 1): a record from its block's place */
    SECTION_RECORDS,  /* number of splits, the length of the left part of each, the token's text */
    SECTION_WHOLE,    /* bits (n_tokens): merging this token's text gives this token */
    SECTION_SPECIAL,  /* bits (n_tokens): control tokens, not text */
    SECTION_BUCKETS,  /* u32 (n_buckets + 1): where a bucket begins in INDEX */
    SECTION_INDEX,    /* u32: rank | upper 12 bits of the hash << 20, by bucket = lower bits of the hash */
    SECTION_BYTES,    /* u32 (256): the token of a byte; TABLE_NONE if there is none */
    SECTION_LATE,     /* u32 key, u32 key that takes its place, ascending: merges out of the order of their tokens */
    SECTION_ID_OF,    /* u32 (n_tokens): ids of ranks; empty if they are the same */
    SECTION_RANK_OF,  /* u32 (n_tokens): ranks of ids; empty too */
    SECTION_RAW,      /* added tokens looked for in the text as it comes: u32 text, u16 length, u16 flags, u32 rank each */
    SECTION_NORMAL,   /* the same for text as normalized */
    SECTION_ADDED,    /* their texts */
    SECTION_BEFORE,   /* u32 ids that begin a text */
    SECTION_AFTER,    /* u32 ids that end it */
    N_SECTIONS
};

enum { ADDED_LSTRIP = 1, ADDED_RSTRIP = 2, ADDED_ENTRY = 12, ADDED_SETS = 2 };

/* Header: 8 bytes magic; u32 size, flags, split, n_tokens, n_buckets, longest, unknown, seed; N_SECTIONS (offset, size). */
#define TABLE_MAGIC "b2s6tok\1"
enum { TABLE_HEADER = 8 + 8 * 4 + N_SECTIONS * 8 };

typedef struct table_section {
    const unsigned char *bytes;
    uint32_t size;
} table_section;

typedef struct table {
    table_section sections[N_SECTIONS];
    uint32_t flags, split, n_tokens, n_buckets;
    uint32_t longest; /* bytes of the longest token that is in the index */
    uint32_t unknown; /* the token of what has none; TABLE_NONE if that is left out */
    uint32_t seed;    /* of the hash */
    int complete;     /* every byte has a token, so that nothing is unknown or left out */
    uint32_t ascii[128];     /* the tokens of characters, or TABLE_NONE */
    unsigned char inside[65536 / 8]; /* bits: two bytes that are neighbours in a token that merges make; others never merge */
    uint32_t first[ADDED_SETS][257]; /* RAW, NORMAL: entries whose text begins with a byte are first[b] .. first[b + 1] - 1 */
} table;

/* Checks a table. The bytes must stay as long as the table is used. 0, or -1 with the reason in m. */
int table_open(table *t, const void *bytes, size_t size, message *m);

/* The text of a token, rank < n_tokens. */
const unsigned char *table_text(const table *t, uint32_t rank, size_t *size);

/* The token of a text, or TABLE_NONE. */
uint32_t table_find(const table *t, const unsigned char *text, size_t size);

/* The key of the merge of text[0 .. left) and text[left .. size), or TABLE_NONE. Its token is the key's, if it is not late. */
typedef struct table_merge {
    uint32_t key, rank;
} table_merge;

table_merge table_find_merge(const table *t, const unsigned char *text, size_t left, size_t size);

/* Ids and ranks. */
uint32_t table_id(const table *t, uint32_t rank);
uint32_t table_rank(const table *t, uint32_t id);

/* Whether a merge can have these bytes side by side. */
static inline int table_inside(const table *t, unsigned char a, unsigned char b)
{
    return t->inside[a << 5 | b >> 3] >> (b & 7) & 1;
}

int table_bit(const table *t, int section, uint32_t rank);

uint64_t table_hash(const unsigned char *text, size_t size, uint32_t seed);

static inline uint32_t table_read16(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t table_read32(const unsigned char *p)
{
    return table_read16(p) | table_read16(p + 2) << 16;
}

/* Entry i of a section of u32. */
static inline uint32_t table_u32(const table *t, int section, uint32_t i)
{
    return table_read32(t->sections[section].bytes + 4 * (size_t)i);
}

#endif
