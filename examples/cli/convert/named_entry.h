/*
 * named_entry.h - bytes of the user's own that a .b2s6 file carries under a name: a tokenizer, labels, a calibration
 */
#ifndef B2S6_CLI_NAMED_ENTRY_H
#define B2S6_CLI_NAMED_ENTRY_H

#include <stddef.h>

#include "../support/message.h"

typedef struct named_entry {
    const char *name;            /* 1 to 23 bytes */
    const unsigned char *bytes;  /* (size), at least one */
    size_t size;
} named_entry;

/* Sorts them as the file has them, and checks names, sizes and their number. 0 or -1. */
int named_entries_sort(named_entry *entries, size_t n, message *m);

#endif
