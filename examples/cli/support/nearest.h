/* nearest.h - which of some words a mistyped one is likely to be */
#ifndef B2S6_CLI_NEAREST_H
#define B2S6_CLI_NEAREST_H

#include <stddef.h>

/* The distance beyond which two words have nothing to do with each other. */
enum { NEAREST_FAR = 1000 };

/*
 * How far a typed word is from a right one: letters that are wrong, missing, too many or swapped with the next. A right word that
 * goes on after what was typed is near too. NEAREST_FAR if more than a third of the letters would have to change.
 */
int nearest_distance(const char *typed, const char *right);

#endif
