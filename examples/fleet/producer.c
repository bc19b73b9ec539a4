/*
 * producer.c - sends made-up events into the logs of their partitions
 *
 * An event's entry id is its number. Redis takes ids only in ascending order, so a producer that has lost its connection, or
 * is started a second time, asks each log for its last id and sends what is after it: no event is missing and none twice.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fleet.h"
#include "layout.h"
#include "store.h"
#include "traffic.h"

enum { AHEAD = 512 };        /* events that are sent before their replies are read */

struct producer {
    struct store store;
    struct traffic traffic;
    uint64_t last[MAX_PARTITIONS];  /* the last id in each log */
    uint8_t *x;
    uint64_t next, waiting;  /* the next event; replies that are to come */
    uint64_t rate;
};

/* Where each log ends; then next is the first event that some log may lack. 0: the store is lost. */
static int ask_ends(struct producer *producer)
{
    producer->next = UINT64_MAX;
    for (int i = 0; i < producer->traffic.n_partitions; i++) {
        char key[KEY_TEXT];
        redisReply *reply;
        struct entry_id id = { 0, 0 };

        layout_key(key, i, KEY_EVENTS);
        reply = store_call(&producer->store, "XREVRANGE %s + - COUNT 1", key);
        if (!reply)
            return 0;
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1)
            layout_parse_id(&id, reply->element[0]->element[0]->str, reply->element[0]->element[0]->len);
        freeReplyObject(reply);
        producer->last[i] = id.ms;
        if (id.ms < producer->next)
            producer->next = id.ms;
    }
    producer->waiting = 0;
    return 1;
}

static int append_event(struct producer *producer, uint64_t i)
{
    struct traffic_event event;
    char key[KEY_TEXT], id[ID_TEXT];
    const char *parts[7] = { "XADD", key, id, "s", NULL, "x", NULL };
    size_t sizes[7] = { 4, 0, 0, 1, 0, 1, 0 };

    traffic_make(&producer->traffic, i, producer->x, &event);
    if (i + 1 <= producer->last[event.partition])
        return 1;
    layout_key(key, event.partition, KEY_EVENTS);
    sizes[1] = strlen(key);
    sizes[2] = layout_print_id(id, (struct entry_id){ i + 1, 0 });
    parts[4] = event.s;
    sizes[4] = event.s_size;
    parts[6] = (const char *)event.x;
    sizes[6] = event.x_size;
    producer->waiting++;
    return store_append(&producer->store, 7, parts, sizes);
}

/* Sends what was appended and takes its replies. */
static int settle(struct producer *producer)
{
    if (!store_send(&producer->store))
        return 0;
    for (; producer->waiting > 0; producer->waiting--) {
        redisReply *reply = store_reply(&producer->store);

        if (!reply)
            return 0;
        if (reply->type == REDIS_REPLY_ERROR) {  /* not in order: somebody else writes; ask again where the log ends */
            snprintf(producer->store.problem, sizeof producer->store.problem, "%s", reply->str);
            freeReplyObject(reply);
            return 0;
        }
        freeReplyObject(reply);
    }
    return 1;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Waits until the rate allows n events since begin. */
static void keep_pace(const struct producer *producer, uint64_t n, double begin)
{
    const double due = producer->rate ? begin + (double)n / (double)producer->rate - now() : 0;

    if (due > 0) {
        struct timespec pause = { (time_t)due, (long)((due - (double)(time_t)due) * 1e9) };

        nanosleep(&pause, NULL);
    }
}

/* Sends until all is sent (1), or the store is lost (0). */
static int send_all(struct producer *producer)
{
    const uint64_t first = producer->next;
    const uint64_t n = producer->rate && producer->rate / 50 < AHEAD ? producer->rate / 50 + 1 : AHEAD;
    const double begin = now();

    while (producer->next < producer->traffic.n_events && !store_stop) {
        const uint64_t left = producer->traffic.n_events - producer->next, end = producer->next + (left < n ? left : n);

        keep_pace(producer, producer->next - first, begin);
        while (producer->next < end)
            if (!append_event(producer, producer->next++))
                return 0;
        if (!settle(producer))
            return 0;
    }
    return 1;
}

int producer_run(const struct fleet_options *options, b2s6_model *model, const b2s6_model_info *info)
{
    static struct producer producer;
    const struct traffic traffic = { options->seed, options->events, options->streams, options->bad,
                                     options->partitions, info };

    (void)model;
    producer.store.address = options->store;
    producer.traffic = traffic;
    producer.rate = options->rate;
    producer.x = malloc(traffic_input_size(info));
    if (!producer.x)
        return fleet_fail("out of memory");
    do
        if (!store_connect_patiently(&producer.store, "producer"))
            break;
    while (!ask_ends(&producer) || !send_all(&producer));
    store_close(&producer.store);
    free(producer.x);
    return store_stop ? EXIT_FAILURE : EXIT_SUCCESS;
}
