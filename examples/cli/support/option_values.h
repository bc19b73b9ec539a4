/* option_values.h - what option texts of the verbs stand for */
#ifndef B2S6_CLI_OPTION_VALUES_H
#define B2S6_CLI_OPTION_VALUES_H

#include <stdint.h>

#include "cli.h"
#include "thread_pool.h"

/* A whole decimal number from least to most; without a text *value stays as it is. 0 or -1. */
int option_number(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/* --threads: a pool, or NULL for one thread, which is what a NULL text means. 0, or the exit status with the error printed. */
int option_threads(const cli_verb *verb, const char *text, thread_pool **pool);

#endif
