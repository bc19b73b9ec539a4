/* added.h - finds the added tokens in a text: "<s>", runs of blanks and the like */
#ifndef B2S6_CLI_TOKENIZER_ADDED_H
#define B2S6_CLI_TOKENIZER_ADDED_H

#include "table.h"

enum { ADDED_RAW = 0, ADDED_NORMAL = 1 }; /* in text as it comes, as normalized */

/* A part of the text: an added token, or what is between them (token is TABLE_NONE). */
typedef struct added_part {
    size_t start, end;
    uint32_t token;
} added_part;

/* Where a walk through a text is. */
typedef struct added_walk {
    const table *t;
    const unsigned char *text;
    size_t size;
    size_t search; /* where the next match may begin */
    size_t done;   /* up to where the text has been given out */
    int set, plain;
    int pending;   /* a token was found and the text before it given out */
    added_part waiting;
} added_walk;

/* plain: control tokens are text. */
added_walk added_begin(const table *t, int set, int plain, const unsigned char *text, size_t size);

/*
 * The next part; 0 at the end. Of the tokens that begin at one place the longest counts, and the next one begins after it. One
 * that takes in the white space beside it gets it too.
 */
int added_next(added_walk *w, added_part *part);

#endif
