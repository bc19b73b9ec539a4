/*
 * voice.h - how a memory of the file takes part in the frequencies of its next byte, and what it is trusted with
 */
#ifndef B2S6_CLI_VOICE_H
#define B2S6_CLI_VOICE_H

#include <stddef.h>
#include <stdint.h>

enum { MOST_BYTES = 8 }; /* that one memory expects */

typedef struct trust {
    uint32_t share; /* of TRUST_ONE */
    uint32_t n;     /* what it rests on, in judgements */
} trust;

#define TRUST_ONE 65536u

/* What one memory said about the next byte. */
typedef struct voice {
    trust *given;               /* NULL: it was silent */
    int n;
    unsigned char byte[MOST_BYTES];
    uint32_t count[MOST_BYTES]; /* how often each has been seen */
    uint32_t gain[MOST_BYTES];  /* what it added to each one's frequency */
    uint32_t after[MOST_BYTES]; /* the frequencies then */
} voice;

/* n trusts to begin with. */
void trusts_begin(trust *trusts, size_t n, uint32_t share);

/* Takes the share it is given from every frequency (256) and hands it to the voice's bytes in proportion to their counts. */
void voice_speak(voice *v, uint32_t *frequencies);

/* Trust moves to what the voice turned out to deserve. It is silent again then. */
void voice_judge(voice *v, unsigned char byte);

#endif
