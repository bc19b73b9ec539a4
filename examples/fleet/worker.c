/* worker.c - the worker's life: partitions come and go, rounds go round (worker.h) */
#define _POSIX_C_SOURCE 200809L

#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fleet.h"

double worker_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double worker_processor(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

void worker_spent(struct worker *worker, enum phase phase)
{
    const double now = worker_clock();

    worker->phases[phase] += now - worker->since;
    worker->since = now;
}

void *worker_room(void *memory, size_t *room, size_t n, size_t size)
{
    if (n <= *room)
        return memory;
    n += n / 2 + 16;
    memory = n > SIZE_MAX / size ? NULL : realloc(memory, n * size);
    if (!memory) {
        fputs("fleet: out of memory; what is committed is safe\n", stderr);
        exit(EXIT_FAILURE);
    }
    *room = n;
    return memory;
}

uint8_t *buffer_add(struct buffer *buffer, size_t n)
{
    buffer->bytes = worker_room(buffer->bytes, &buffer->room, buffer->size + n, 1);
    buffer->size += n;
    return buffer->bytes + buffer->size - n;
}

static int count_owned(const struct worker *worker)
{
    int n = 0;

    for (int i = 0; i < worker->n_partitions; i++)
        n += worker->partitions[i].owned;
    return n;
}

/* Asks for the next events of all own partitions; waits up to block milliseconds for the first, 0: not at all. */
static int ask_events(struct worker *worker, unsigned block)
{
    const int owned = count_owned(worker);
    const size_t n = 6 + 2 * (size_t)owned;
    size_t room = worker->room_parts, at = 3;
    char count[ID_TEXT], wait[ID_TEXT], (*ids)[ID_TEXT] = malloc((size_t)(owned + 1) * sizeof *ids);
    int sent, k = 0;

    worker->sizes = worker_room(worker->sizes, &room, n, sizeof *worker->sizes);
    worker->parts = worker_room(worker->parts, &worker->room_parts, n, sizeof *worker->parts);
    layout_print_number(count, worker->round_events / (size_t)owned);
    layout_print_number(wait, block);
    worker->parts[0] = "XREAD";
    worker->parts[1] = "COUNT";
    worker->parts[2] = count;
    if (block) {
        worker->parts[at++] = "BLOCK";
        worker->parts[at++] = wait;
    }
    worker->parts[at++] = "STREAMS";
    for (int i = 0; ids && i < worker->n_partitions; i++) {
        if (!worker->partitions[i].owned)
            continue;
        worker->parts[at + (size_t)k] = worker->partitions[i].keys[KEY_EVENTS];
        layout_print_id(ids[k], worker->partitions[i].read);
        worker->parts[at + (size_t)owned + (size_t)k] = ids[k];
        k++;
    }
    at += 2 * (size_t)owned;
    for (size_t i = 0; i < at; i++)
        worker->sizes[i] = strlen(worker->parts[i]);
    sent = ids && store_append(&worker->store, at, worker->parts, worker->sizes) && store_send(&worker->store);
    free(ids);
    worker->asked = sent;
    return sent;
}

static int needs_commit(const struct partition *partition)
{
    return partition->owned && !partition->lost && (partition->n_new || partition->n_stored);
}

/* One round, as worker.h draws it. more: ask for the next events ahead. 0: the store is lost; idle: there was nothing. */
static int turn(struct worker *worker, int more, int *idle)
{
    redisReply *reply = store_reply(&worker->store);

    worker_spent(worker, PHASE_WAIT);
    worker->asked = 0;
    if (!reply)
        return 0;
    round_take(worker, reply);
    *idle = worker->n_events == 0;
    if (!*idle && worker->begin == 0) {
        worker->begin = worker->since;
        worker->cpu_begin = worker_processor();
    }
    worker_spent(worker, PHASE_READ);
    if (!round_ask_states(worker) || (more && !*idle && !ask_events(worker, 0)) || !store_send(&worker->store))
        return 0;
    worker_spent(worker, PHASE_SEND);
    if (!partition_collect(worker))
        return 0;
    worker_spent(worker, PHASE_WAIT);
    if (!round_load(worker))
        return 0;
    worker_spent(worker, PHASE_LOAD);
    round_step(worker);
    for (int i = 0; i < worker->n_partitions; i++)
        if (needs_commit(&worker->partitions[i]) && !partition_commit(worker, &worker->partitions[i]))
            return 0;
    if (!store_send(&worker->store))
        return 0;
    round_end(worker);
    worker_spent(worker, PHASE_SEND);
    return 1;
}

/* Tells that this worker lives: how many do, 0 if the store is lost. */
static int report(struct worker *worker)
{
    redisReply *reply = store_call(&worker->store, "EVALSHA %s 1 %s %s %u", worker->store.sha[SCRIPT_SEEN], WORKERS_KEY,
                                   worker->name, worker->lease);
    int alive = 0;

    if (!reply)
        return 0;
    if (reply->type == REDIS_REPLY_INTEGER)
        alive = (int)reply->integer;
    freeReplyObject(reply);
    return alive > 0 ? alive : 1;
}

/* Prolongs leases by commits of nothing, where no other commit has lately. */
static int renew(struct worker *worker)
{
    const double now = worker_clock();

    for (int i = 0; i < worker->n_partitions; i++)
        if (worker->partitions[i].owned && now - worker->partitions[i].renewed > 1e-3 * worker->lease / 4
            && !partition_commit(worker, &worker->partitions[i]))
            return 0;
    if (!store_send(&worker->store) || !partition_collect(worker))
        return 0;
    round_end(worker);
    return 1;
}

/* Between rounds, when no reply is awaited: leases, and a fair share of the partitions. */
static int upkeep(struct worker *worker)
{
    int alive, share, owned;

    if (!partition_collect(worker))
        return 0;
    round_end(worker);
    alive = report(worker);
    if (!alive || !renew(worker))
        return 0;
    share = (worker->n_partitions + alive - 1) / alive;
    owned = count_owned(worker);
    for (int i = 0; i < worker->n_partitions && owned > share; i++)
        if (worker->partitions[i].owned) {
            if (!partition_release(worker, &worker->partitions[i]))
                return 0;
            owned--;
        }
    for (int i = 0, first = rand() % worker->n_partitions; i < worker->n_partitions && owned < share; i++) {
        struct partition *partition = &worker->partitions[(first + i) % worker->n_partitions];
        const int claimed = partition->owned ? 0 : partition_claim(worker, partition);

        if (claimed < 0)
            return 0;
        owned += claimed;
    }
    return 1;
}

/* Forgets everything, since nobody knows what became of what was sent. */
static int begin_anew(struct worker *worker)
{
    round_end(worker);
    for (int i = 0; i < worker->n_partitions; i++)
        if (worker->partitions[i].owned)
            partition_forget(worker, &worker->partitions[i]);
    worker->n_committed = 0;
    worker->asked = 0;
    worker->n_reconnected++;
    return store_connect_patiently(&worker->store, worker->name);
}

/* Rounds until the store is lost (0) or a signal asks for the end (1). */
static int work(struct worker *worker)
{
    const double pace = 1e-3 * worker->lease / 4;
    const struct timespec nap = { 0, 10000000 };
    double next = 0;
    int idle = 0;

    while (!store_stop || worker->asked) {
        const int due = worker_clock() >= next;

        if (!worker->asked && due) {
            if (!upkeep(worker))
                return 0;
            next = worker_clock() + pace;
            worker_spent(worker, PHASE_WAIT);
        }
        if (count_owned(worker) == 0) {
            nanosleep(&nap, NULL);
            continue;
        }
        if (!worker->asked && ((idle && !partition_collect(worker)) || !ask_events(worker, idle ? 20 : 0)))
            return 0;
        if (!turn(worker, !due && !store_stop, &idle))
            return 0;
    }
    if (!partition_collect(worker))
        return 0;
    for (int i = 0; i < worker->n_partitions; i++)
        if (worker->partitions[i].owned && !partition_release(worker, &worker->partitions[i]))
            return 0;
    return 1;
}

static void tell_story(const struct worker *worker)
{
    static const char *const names[N_PHASES] = { "wait", "read", "load", "step", "store", "send" };

    printf("%s: begin=%.4f end=%.4f", worker->name, worker->begin, worker->end);
    printf(" took=%llu dead=%llu replayed=%llu loaded=%llu stored=%llu refused=%llu claimed=%llu anew=%llu",
           (unsigned long long)worker->n_taken, (unsigned long long)worker->n_dead, (unsigned long long)worker->n_replayed,
           (unsigned long long)worker->n_loaded, (unsigned long long)worker->n_stored, (unsigned long long)worker->n_refused,
           (unsigned long long)worker->n_claimed, (unsigned long long)worker->n_reconnected);
    printf(" cpu=%.3f", worker->cpu_end - worker->cpu_begin);
    for (int i = 0; i < N_PHASES; i++)
        printf(" %s=%.3f", names[i], worker->phases[i]);
    printf("\n");
}

int worker_prepare(struct worker *worker, size_t n_states)
{
    const size_t n = worker->round_events, width = worker->info.output_size, in = worker->info.input_size;

    worker->workspace_size = b2s6_workspace_size(worker->model, BATCH);
    worker->partitions = calloc((size_t)worker->n_partitions, sizeof *worker->partitions);
    worker->committed = malloc((size_t)worker->n_partitions * sizeof *worker->committed);
    worker->events = malloc(n * sizeof *worker->events);
    worker->order = malloc(n * sizeof *worker->order);
    worker->wanted = malloc(n * sizeof *worker->wanted);
    worker->batch = malloc(BATCH * sizeof *worker->batch);
    worker->tokens = malloc(BATCH * sizeof *worker->tokens);
    worker->features = malloc((worker->info.input_kind == B2S6_TOKENS ? 1 : BATCH * in) * sizeof *worker->features);
    worker->rows = malloc(BATCH * width * sizeof *worker->rows);
    if (posix_memalign(&worker->workspace, B2S6_ALIGNMENT, worker->workspace_size))
        worker->workspace = NULL;
    for (int i = 0; worker->partitions && i < worker->n_partitions; i++) {
        worker->partitions[i].index = i;
        for (int k = 0; k < N_KEYS; k++)
            layout_key(worker->partitions[i].keys[k], i, k);
    }
    return worker->partitions && worker->committed && worker->events && worker->order && worker->wanted && worker->batch
        && worker->tokens && worker->features && worker->rows && worker->workspace
        && cache_open(&worker->cache, worker->model, n_states);
}

/* Several workers that count partitions in different ways would tear streams apart. */
static int agree_on_partitions(struct worker *worker)
{
    redisReply *reply;
    int agreed = 0;

    while (!agreed && store_connect_patiently(&worker->store, worker->name)) {
        reply = store_call(&worker->store, "SET %s %d NX GET", PARTITIONS_KEY, worker->n_partitions);
        if (!reply)
            continue;
        agreed = reply->type == REDIS_REPLY_NIL
            || (reply->type == REDIS_REPLY_STRING && atoi(reply->str) == worker->n_partitions);
        if (!agreed)
            fprintf(stderr, "fleet: the store is cut into %s partitions, not %d; say --partitions %s\n",
                    reply->str ? reply->str : "other", worker->n_partitions, reply->str ? reply->str : "N");
        freeReplyObject(reply);
        if (!agreed)
            return 0;
    }
    return agreed;
}

int worker_run(const struct fleet_options *options, b2s6_model *model, const b2s6_model_info *info)
{
    static struct worker worker;
    size_t n = options->states < options->round ? options->states : options->round;

    worker.name = options->name;
    worker.store.address = options->store;
    worker.model = model;
    worker.info = *info;
    worker.n_partitions = options->partitions;
    worker.round_events = n;
    worker.every = options->every;
    worker.window = options->window;
    worker.lease = options->lease;
    worker.step = !options->pass;
    worker.trim = options->trim;
    srand((unsigned)getpid());
    if (info->bidirectional)
        return fleet_fail("the model reads whole sequences; a stream of events needs one that steps");
    if (n < (size_t)options->partitions)
        return fleet_fail("--states and --round must be at least the number of partitions");
    if (!worker_prepare(&worker, options->states))
        return fleet_fail("out of memory: fewer --states would fit");
    if (!agree_on_partitions(&worker))
        return store_stop ? EXIT_SUCCESS : EXIT_FAILURE;
    worker.since = worker_clock();
    while (!work(&worker) && !store_stop && begin_anew(&worker))
        continue;
    tell_story(&worker);
    store_close(&worker.store);
    return EXIT_SUCCESS;
}
