/*
 * mixer.h - how a memory of the file takes part in the frequencies of its next byte, and what it is trusted with
 */
#ifndef B2S6_CLI_MIXER_H
#define B2S6_CLI_MIXER_H

#include <stddef.h>
#include <stdint.h>

enum { MOST_BYTES = 8 }; /* that one memory expects */

typedef struct trust {
    uint32_t share; /* of TRUST_ONE */
    uint32_t n;     /* what it rests on, in judgements */
} trust;

#define TRUST_ONE 65536u

/* What one memory expects of the next byte. */
typedef struct expectation {
    trust *trusted;             /* how much; NULL: it expects nothing */
    int n;
    unsigned char byte[MOST_BYTES];
    uint32_t count[MOST_BYTES]; /* how often each has been seen */
    uint32_t gain[MOST_BYTES];  /* what it added to each one's frequency */
    uint32_t after[MOST_BYTES]; /* the frequencies then */
} expectation;

/* n trusts to begin with. */
void trusts_begin(trust *trusts, size_t n, uint32_t share);

/* Takes the trusted share from every frequency (256) and gives it to the expected bytes in proportion to their counts. */
void mixer_add(expectation *e, uint32_t *frequencies);

/* Trust moves to what the expectation turned out to deserve. It is empty again then. */
void mixer_learn(expectation *e, unsigned char byte);

#endif
