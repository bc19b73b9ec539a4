/*
 * ways.h - every way through a model must give the rows of one run: for programs that compare machines by those rows alone
 */
#ifndef TEST_WAYS_H
#define TEST_WAYS_H

#include "subjects.h"

/* Steps, chunks, batches of five streams, and whole sequences, on n_threads threads (1 to 4). rows are those of one run. */
void check_ways(const subject *s, size_t n_threads, const float *rows);

/*
 * A snapshot in the middle of the input, from malloc, once the stream has gone on from it to the end with these rows. received
 * is the one that another machine wrote, or NULL: it must be the same bytes, and the stream goes on from those. NULL of a
 * bidirectional model.
 */
unsigned char *check_journey(const subject *s, const float *rows, const unsigned char *received, size_t received_size,
                             size_t *size);

#endif
