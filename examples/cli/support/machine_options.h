/* machine_options.h - the options --threads and --isa: what a verb may use of the machine */
#ifndef B2S6_CLI_MACHINE_OPTIONS_H
#define B2S6_CLI_MACHINE_OPTIONS_H

#include "cli.h"
#include "thread_pool.h"

/* What the options ask for, checked. */
typedef struct machine {
    size_t n_threads;
    thread_pool *pool; /* of so many threads; NULL for one */
    const char *isa;   /* NULL: the best */
} machine;

/*
 * The values of --threads (NULL: 1) and --isa (NULL: the best). 0; or with the error printed CLI_USAGE, for what no machine
 * could do, or CLI_FAILED, for what this one cannot. Starts the threads.
 */
int machine_take(machine *m, const cli_verb *verb, const char *threads, const char *isa);
void machine_release(machine *m);

#endif
