/* option_values.h - numbers that options give */
#ifndef B2S6_CLI_OPTION_VALUES_H
#define B2S6_CLI_OPTION_VALUES_H

#include <stdint.h>

/* A whole decimal number from least to most, of digits alone; without a text *value stays as it is. 0 or -1. */
int option_number(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/*
 * A decimal number from least to most, "0.8", of at most nine digits and without sign or exponent; without a text *value stays as it
 * is. The same text gives the same float on every machine. 0 or -1.
 */
int option_real(const char *text, double least, double most, float *value);

#endif
