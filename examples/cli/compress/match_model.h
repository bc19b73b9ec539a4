/*
 * match_model.h - a memory of the last 4 MiB: what came after the last six bytes when they occurred together before
 */
#ifndef B2S6_CLI_MATCH_MODEL_H
#define B2S6_CLI_MATCH_MODEL_H

#include <stdint.h>

typedef struct match_model match_model;

/* NULL if there is no memory for it. */
match_model *match_model_create(void);
void match_model_destroy(match_model *m);

/* Mixes what it expects into the frequencies (256) of the next byte; then takes that byte, the lowest of the last eight. */
void match_model_mix(match_model *m, uint32_t *frequencies);
void match_model_take(match_model *m, uint64_t last);

#endif
