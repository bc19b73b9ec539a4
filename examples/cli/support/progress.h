/* progress.h - a bar on standard error while something long goes on; nothing where that is not a terminal */
#ifndef B2S6_CLI_PROGRESS_H
#define B2S6_CLI_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

typedef struct progress {
    int shown;             /* standard error is a terminal that can draw it */
    uint64_t total;        /* bytes to do, or tokens; 0: unknown */
    int tokens;            /* set after progress_begin: tokens are counted, not bytes */
    double started, drawn; /* seconds */
} progress;

/* The bytes from here to the end of a file; 0 if that cannot be said, as of a pipe. */
uint64_t bytes_to_read(FILE *file);

void progress_begin(progress *p, uint64_t total);
/* done of the total; bytes: those that the speed is about. */
void progress_update(progress *p, uint64_t done, uint64_t bytes);
void progress_end(progress *p); /* takes the bar away */

/* Seconds of a clock that only goes forward. */
double seconds_now(void);

#endif
