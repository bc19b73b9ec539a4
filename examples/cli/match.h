/*
 * match.h - a memory of the last 4 MiB: what came after the last six bytes when they stood together before
 */
#ifndef B2S6_CLI_MATCH_H
#define B2S6_CLI_MATCH_H

#include <stdint.h>

typedef struct match match;

/* NULL if there is no memory for it. */
match *match_create(void);
void match_destroy(match *m);

/* Mixes what it expects into the frequencies (256) of the next byte; then takes that byte, the lowest of the last eight. */
void match_speak(match *m, uint32_t *frequencies);
void match_take(match *m, uint64_t last);

#endif
