/*
 * traffic.h - made-up events, the same for the same seed: what the producer sends and what the checker expects
 *
 * Event i of all goes to a stream chosen at random, one in eight to one of the busy ones (a hundredth of the streams). Its
 * entry id is (i + 1)-0, so that the producer can be killed, or lose its connection, and go on from what the log has.
 */
#ifndef FLEET_TRAFFIC_H
#define FLEET_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

#include "b2s6.h"

struct traffic {
    uint64_t seed;
    uint64_t n_events, n_streams;
    uint64_t bad;            /* one event in so many is bad; 0: none */
    int n_partitions;
    const b2s6_model_info *info;
};

struct traffic_event {
    uint64_t stream;
    int partition;
    const char *s;           /* the stream as the event names it */
    size_t s_size, x_size;
    uint8_t *x;
    char name[48];
    const char *reason;      /* NULL: a good event; else why it is not taken */
};

/* Event i, from 0. x (4 input_size bytes or 4) is the caller's memory. */
void traffic_make(const struct traffic *traffic, uint64_t i, uint8_t *x, struct traffic_event *event);

/* Bytes that x needs. */
size_t traffic_input_size(const b2s6_model_info *info);

#endif
