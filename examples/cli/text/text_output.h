/*
 * text_output.h - text that is written as it comes, up to the first stop string
 *
 * What may be the beginning of a stop string is held back until it is known. A stop string itself is not written.
 */
#ifndef B2S6_CLI_TEXT_OUTPUT_H
#define B2S6_CLI_TEXT_OUTPUT_H

#include <stddef.h>
#include <stdio.h>

#include "tokenizer/buffer.h"

typedef struct text_output {
    FILE *out;
    int terminal;              /* out is one: what would act on it is shown as '?' */
    int at_once;               /* somebody may be reading along: nothing stays in out's buffer */
    const char *const *stops;  /* (n_stops), none of them empty */
    size_t n_stops;
    buffer held;
    int written;               /* there is text */
    int stopped;               /* a stop string has come; nothing is written any more */
} text_output;

void text_output_begin(text_output *o, FILE *out, const char *const *stops, size_t n_stops);

/* Text in which no stop string is looked for. */
void text_output_plain(text_output *o, const unsigned char *text, size_t n);

/* More text, in whole characters as far as it has any. 0, or -1 for want of memory. */
int text_output_put(text_output *o, const unsigned char *text, size_t n);

/* The end: what was held back is written after all, on a terminal a line that has begun is ended. Gives back what o holds. */
void text_output_end(text_output *o);

#endif
