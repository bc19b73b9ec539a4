/*
 * golden.h - stored model files whose output bits are stored too, so that all instruction sets cannot change together
 *
 * tests/golden/ holds NAME.b2s6 of every kind of unit, type of matrix and form of states; NAME.snapshot, a stream half way
 * through, unless the model is bidirectional; and golden.txt with a line "NAME ROWS HIDDEN" each: digests of the output rows and
 * of the rows before the head, of N_GOLDEN_STEPS steps of an input that this file defines from the model's description alone.
 *
 * Nothing stored here ever changes; what is new gets lines of its own (build/tests/golden --add NAME ...).
 */
#ifndef TEST_GOLDEN_H
#define TEST_GOLDEN_H

#include "subjects.h"

enum { N_GOLDEN_STEPS = 48 };

/* What golden.txt says of a file. */
typedef struct golden {
    char name[64];
    uint64_t rows, hidden;
} golden;

/* All of golden.txt, from malloc. */
golden *golden_list(size_t *n);

/* The digests of a file's rows on an instruction set, NULL for the best one. Where there is a snapshot, it must be what a stream
 * saves half way, to the byte, and go on to the same rows. */
golden golden_measure(const char *name, const char *isa);

/* Writes NAME.snapshot of a file that has none yet. */
void golden_write_snapshot(const char *name);

#endif
