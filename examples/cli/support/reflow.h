/*
 * reflow.h - text that was laid out for a wide terminal, for a narrow one
 *
 * A line that is too long is broken between words. What follows goes below the text of the line: in a row "label  text" below
 * the text, so that the labels stay a column of their own.
 */
#ifndef B2S6_CLI_REFLOW_H
#define B2S6_CLI_REFLOW_H

#include <stdio.h>

/* A help text: lines of one paragraph, or of one option, are put together first. */
void reflow_help(FILE *out, const char *text, size_t columns);

/*
 * Rows that are printed to stdout between the two, each a line of its own. Where stdout is no terminal, nothing is done.
 */
typedef struct reflow_rows {
    FILE *taken;    /* what has been printed since; NULL: it goes where it always goes */
    int descriptor; /* of the terminal meanwhile */
} reflow_rows;

void reflow_rows_begin(reflow_rows *r);
void reflow_rows_end(reflow_rows *r);

#endif
