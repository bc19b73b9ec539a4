/*
 * streams.h - streams over a subject compared with twins that are stepped alone, and states compared as snapshots
 *
 * Stream i of a crowd starts 13 i steps into the subject's input, which goes round, so no two streams read alike.
 */
#ifndef TEST_STREAMS_H
#define TEST_STREAMS_H

#include "subjects.h"

/* The snapshot of a state, b2s6_snapshot_size bytes from malloc. */
unsigned char *saved(const b2s6_state *state);

/* The same stream at the same place: equal snapshots, byte for byte. */
void check_same_state(const b2s6_state *expected, const b2s6_state *state);
void check_saved(const unsigned char *expected, const b2s6_state *state);

typedef struct crowd {
    const subject *s;
    size_t n, widest;     /* widest: of an output row and a row before the head */
    b2s6_state **states;  /* (n): the streams under test */
    b2s6_state **alone;   /* (n): their twins */
    size_t *at;           /* (n): steps that each has taken since it began */
    int32_t *tokens;      /* (n) */
    float *features;      /* (n, input_size) */
    b2s6_state **members; /* (n): those of the batch in hand, */
    float *out;           /* (n, widest) and a row more: their rows */
} crowd;

/* Streams 0 .. n - 1 at the beginning, or stream i already 7 i mod 31 steps along. */
void crowd_make(crowd *c, const subject *s, size_t n, int spread);
void crowd_free(crowd *c);

/* Stream i and its twin take a step, both alone, without output. */
void crowd_step(crowd *c, size_t i);

/* Stream i begins anew: its states are reset. */
void crowd_restart(crowd *c, size_t i);

/* Gathers the next input of the streams listed: c->members and c->tokens or c->features. */
void crowd_gather(crowd *c, const size_t *list, size_t n);

/* The batch that was gathered. out NULL: none. */
b2s6_status crowd_call(crowd *c, size_t n, float *out, const b2s6_run_options *options);

/*
 * A batch of the streams listed; their twins take the same step alone, and the rows must be the same bits, unless silent:
 * then the batch has no output. A row further stays untouched.
 */
void crowd_batch(crowd *c, const size_t *list, size_t n, int silent, const b2s6_run_options *options);

/* Every stream is where its twin is. */
void crowd_check(const crowd *c);

#endif
