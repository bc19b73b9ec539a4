/*
 * direct.c - the same events without any store: what one process takes for the steps alone
 *
 * It does what a worker does with events that it has: cuts them into rounds, and steps batches across streams.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet.h"
#include "traffic.h"
#include "worker.h"

/* Makes n events of the traffic from number i on, for the round. xs: memory for their inputs, size bytes each. */
static void make_round(struct worker *worker, const struct traffic *traffic, uint64_t i, size_t n, uint8_t *xs, size_t size)
{
    worker->round++;
    worker->n_events = n;
    worker->n_order = worker->n_wanted = 0;
    memset(worker->events, 0, n * sizeof *worker->events);
    for (size_t k = 0; k < n; k++) {
        struct event *event = &worker->events[k];
        struct traffic_event made;

        traffic_make(traffic, i + k, xs + k * size, &made);
        event->id.ms = i + k + 1;
        event->partition = &worker->partitions[made.partition];
        event->stream = made.stream;
        event->x = (const char *)made.x;
        event->x_size = made.x_size;
        event->record = SIZE_MAX;
        event->slot = cache_find(&worker->cache, made.stream);
        if (!event->slot) {
            event->slot = cache_candidate(&worker->cache);
            cache_assign(&worker->cache, event->slot, made.stream, made.partition);
        }
    }
}

int direct_run(const struct fleet_options *options, b2s6_model *model, const b2s6_model_info *info)
{
    static struct worker worker;
    const struct traffic traffic = { options->seed, options->events, options->streams, 0,
                                     options->partitions, info };
    const size_t size = traffic_input_size(info);
    uint8_t *xs = malloc(options->round * size);

    worker.model = model;
    worker.info = *info;
    worker.n_partitions = options->partitions;
    worker.round_events = options->round;
    worker.every = worker.window = UINT32_MAX;
    worker.step = 1;
    if (!xs || !worker_prepare(&worker, options->streams))
        return fleet_fail("out of memory");
    for (uint64_t i = 0; i < options->events; i += options->round) {
        const uint64_t left = options->events - i;

        make_round(&worker, &traffic, i, left < options->round ? left : options->round, xs, size);
        worker.since = worker_clock();
        round_step(&worker);
        for (int p = 0; p < worker.n_partitions; p++)
            worker.partitions[p].records.size = 0;
    }
    printf("direct: took=%llu seconds=%.3f\n", (unsigned long long)worker.n_taken,
           worker.phases[PHASE_STEP] + worker.phases[PHASE_STORE]);
    return EXIT_SUCCESS;
}
