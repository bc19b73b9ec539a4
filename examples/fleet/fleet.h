/* fleet.h - the program's verbs and their options */
#ifndef FLEET_FLEET_H
#define FLEET_FLEET_H

#include <stddef.h>
#include <stdint.h>

#include "b2s6.h"

/* All whole numbers are uint64_t on the command line; main.c has their bounds. */
struct fleet_options {
    const char *store;       /* see store.h */
    const char *model;
    const char *name;        /* of the worker */
    uint64_t partitions_given, lease_given;
    int partitions;
    unsigned lease;          /* milliseconds */
    uint64_t states;         /* that a worker holds at most */
    uint64_t round;          /* events of a worker's round, at most */
    uint64_t every, window;  /* events of a stream, of its partition, after which a state is stored at the latest */
    uint64_t streams, events, seed, bad, rate;  /* traffic.h; rate: events a second, 0: as fast as it goes */
    int pass, trim;
};

/* The verbs; each returns the exit status. */
int worker_run(const struct fleet_options *options, b2s6_model *model, const b2s6_model_info *info);
int producer_run(const struct fleet_options *options, b2s6_model *model, const b2s6_model_info *info);
int checker_run(const struct fleet_options *options, b2s6_model *model, const b2s6_model_info *info);
int direct_run(const struct fleet_options *options, b2s6_model *model, const b2s6_model_info *info);

/* One line on stderr; EXIT_FAILURE. */
int fleet_fail(const char *reason);

#endif
