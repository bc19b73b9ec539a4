/* round.c - one round of a worker: events in, states up, steps across streams, outputs to the partitions (worker.h) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker.h"

/* Takes the fields of an entry: 1, or 0 with the reason. Fields may come in any order; others are ignored. */
static int read_fields(struct event *event, const redisReply *fields, const b2s6_model_info *info, int n_partitions)
{
    b2s6_status status;

    event->s = event->x = "";
    event->s_size = event->x_size = 0;
    for (size_t i = 0; fields->type == REDIS_REPLY_ARRAY && i + 1 < fields->elements; i += 2) {
        const redisReply *key = fields->element[i], *value = fields->element[i + 1];

        if (key->len == 1 && key->str[0] == 's') {
            event->s = value->str;
            event->s_size = value->len;
        } else if (key->len == 1 && key->str[0] == 'x') {
            event->x = value->str;
            event->x_size = value->len;
        }
    }
    status = layout_check_input(info, event->x, event->x_size);
    if (!layout_parse_number(&event->stream, event->s, event->s_size))
        event->reason = "s is not a stream's number";
    else if (layout_partition(event->stream, n_partitions) != event->partition->index)
        event->reason = "the stream belongs to another partition";
    else
        event->reason = status == B2S6_OK ? NULL : b2s6_status_text(status);
    return event->reason == NULL;
}

static void read_entry(struct worker *worker, struct partition *partition, const redisReply *entry)
{
    struct event *event = &worker->events[worker->n_events];

    if (entry->elements != 2 || !layout_parse_id(&event->id, entry->element[0]->str, entry->element[0]->len))
        return;
    worker->n_events++;
    event->partition = partition;
    event->before = partition->read;
    event->count = ++partition->count;
    event->silent = layout_not_after(event->id, partition->position);
    event->slot = NULL;
    event->next = NULL;
    event->record = SIZE_MAX;
    partition->read = event->id;
    if (event->silent)
        worker->n_replayed++;
    else
        partition->n_new++;
    if (!read_fields(event, entry->element[1], &worker->info, worker->n_partitions) || !worker->step)
        return;
    event->slot = cache_find(&worker->cache, event->stream);
    if (event->slot)
        cache_touch(&worker->cache, event->slot, worker->round);
}

/* The partition whose log a reply's key names, if it is ours. */
static struct partition *owner_of(struct worker *worker, const redisReply *key)
{
    for (int i = 0; i < worker->n_partitions; i++)
        if (strcmp(worker->partitions[i].keys[KEY_EVENTS], key->str) == 0)
            return worker->partitions[i].owned && !worker->partitions[i].lost ? &worker->partitions[i] : NULL;
    return NULL;
}

/*
 * A place for a stream that is not in the cache. Every stream of this round that was there has been touched before, and a
 * round has no more events than the cache has slots: what goes is of no use in this round, so its state in the store will be
 * whole when another round asks for it.
 */
static struct slot *new_slot(struct worker *worker, const struct event *event)
{
    struct slot *slot = cache_candidate(&worker->cache);

    if (slot->partition >= 0 && slot->dirty)
        partition_store(worker, slot);
    cache_assign(&worker->cache, slot, event->stream, event->partition->index);
    cache_touch(&worker->cache, slot, worker->round);
    worker->wanted[worker->n_wanted++] = slot;
    return slot;
}

void round_take(struct worker *worker, redisReply *reply)
{
    worker->round++;
    worker->reply = reply;
    worker->n_events = worker->n_order = worker->n_wanted = 0;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        const redisReply *log = reply->element[i];
        struct partition *partition = log->elements == 2 ? owner_of(worker, log->element[0]) : NULL;

        for (size_t j = 0; partition && j < log->element[1]->elements && worker->n_events < worker->round_events; j++)
            read_entry(worker, partition, log->element[1]->element[j]);
    }
    for (size_t i = 0; worker->step && i < worker->n_events; i++) {
        struct event *event = &worker->events[i];

        if (event->slot || event->reason)
            continue;
        event->slot = cache_find(&worker->cache, event->stream);
        if (!event->slot)
            event->slot = new_slot(worker, event);
    }
}

static int by_partition(const void *a, const void *b)
{
    const struct slot *const *one = a, *const *other = b;

    return (*one)->partition - (*other)->partition;
}

/* The end of the run of wanted slots of one partition that begins at i. */
static size_t end_of_run(const struct worker *worker, size_t i)
{
    const int partition = worker->wanted[i]->partition;

    while (i < worker->n_wanted && worker->wanted[i]->partition == partition)
        i++;
    return i;
}

int round_ask_states(struct worker *worker)
{
    size_t n = worker->n_wanted + 2, room = worker->room_parts;
    char (*texts)[ID_TEXT] = n > 2 ? malloc(n * sizeof *texts) : NULL;
    int sent = 1;

    if (n == 2)
        return 1;
    if (!texts)
        exit(EXIT_FAILURE);
    worker->sizes = worker_room(worker->sizes, &room, n, sizeof *worker->sizes);
    worker->parts = worker_room(worker->parts, &worker->room_parts, n, sizeof *worker->parts);
    qsort(worker->wanted, worker->n_wanted, sizeof *worker->wanted, by_partition);
    for (size_t i = 0, end; sent && i < worker->n_wanted; i = end) {
        end = end_of_run(worker, i);
        worker->parts[0] = "HMGET";
        worker->sizes[0] = 5;
        worker->parts[1] = worker->partitions[worker->wanted[i]->partition].keys[KEY_STATES];
        worker->sizes[1] = strlen(worker->parts[1]);
        for (size_t j = i; j < end; j++) {
            worker->sizes[2 + j - i] = layout_print_number(texts[j], worker->wanted[j]->stream);
            worker->parts[2 + j - i] = texts[j];
        }
        sent = store_append(&worker->store, 2 + end - i, worker->parts, worker->sizes);
    }
    free(texts);
    return sent;
}

/* A stream that the store has not is at its beginning. What cannot be taken up makes the stream broken, and nothing else. */
static void load(struct worker *worker, struct slot *slot, const redisReply *value)
{
    const struct partition *partition = &worker->partitions[slot->partition];

    b2s6_state_reset(slot->state);
    if (value->type == REDIS_REPLY_NIL)
        return;
    worker->n_loaded++;
    slot->broken = layout_take_up(slot->state, &slot->position, slot->stream, value->str,
                                  value->type == REDIS_REPLY_STRING ? value->len : 0);
    if (slot->broken == B2S6_OK && !layout_not_after(slot->position, partition->position))
        slot->broken = B2S6_ERROR_SNAPSHOT;  /* of a time that has not been */
    if (slot->broken != B2S6_OK)
        fprintf(stderr, "%s: partition %d: the stored state of stream %llu: %s\n", worker->name, partition->index,
                (unsigned long long)slot->stream, b2s6_status_text(slot->broken));
}

int round_load(struct worker *worker)
{
    for (size_t i = 0, end; i < worker->n_wanted; i = end) {
        redisReply *reply = store_reply(&worker->store);

        if (!reply)
            return 0;
        end = end_of_run(worker, i);
        for (size_t j = i; j < end; j++) {
            const redisReply none = { .type = REDIS_REPLY_ERROR };

            load(worker, worker->wanted[j], reply->type == REDIS_REPLY_ARRAY && j - i < reply->elements
                                                ? reply->element[j - i] : &none);
        }
        freeReplyObject(reply);
    }
    return 1;
}

/* An event that cannot be taken goes to the dead letters, with the reason, in the same commit. */
static void bury(const struct event *event, const char *reason)
{
    struct partition *partition = event->partition;

    partition->dead = worker_room(partition->dead, &partition->room_dead, partition->n_dead + 1, sizeof *partition->dead);
    partition->dead[partition->n_dead].event = event;
    partition->dead[partition->n_dead++].reason = reason;
}

/* Makes room for an event's output, in the order of the events, which is not the order of the steps. */
static void reserve_record(struct worker *worker, struct event *event)
{
    const size_t size = RECORD_HEAD + 4 * (size_t)worker->info.output_size;
    struct buffer *records = &event->partition->records;

    event->record = records->size;
    memset(buffer_add(records, size), 0, size);
    put_u64(records->bytes + event->record, event->stream);
}

/* What is to become of each event, now that all states are here. */
static void plan(struct worker *worker)
{
    for (size_t i = 0; i < worker->n_events; i++) {
        struct event *event = &worker->events[i];
        struct slot *slot = event->slot;

        if (event->reason || (slot && slot->broken != B2S6_OK)) {
            if (!event->silent)
                bury(event, event->reason ? event->reason : b2s6_status_text(slot->broken));
            continue;
        }
        if (slot && layout_not_after(event->id, slot->position))
            continue;                        /* catching up: the stored state has it */
        if (!event->silent)
            reserve_record(worker, event);
        if (!slot)
            continue;
        if (!slot->first)
            worker->order[worker->n_order++] = slot;
        *(slot->first ? &slot->last->next : &slot->first) = event;
        slot->last = event;
    }
}

/* One step of n streams at once; each takes its next event of the list at. */
static void step_batch(struct worker *worker, struct event **at, size_t n)
{
    const size_t width = worker->info.output_size, n_features = worker->info.input_size;
    b2s6_run_options options = B2S6_RUN_OPTIONS;
    int heard = 0;
    b2s6_status status;

    options.workspace = worker->workspace;
    options.workspace_size = worker->workspace_size;
    for (size_t i = 0; i < n; i++) {
        worker->batch[i] = at[i]->slot->state;
        heard |= at[i]->record != SIZE_MAX;
        if (worker->info.input_kind == B2S6_TOKENS)
            worker->tokens[i] = get_token((const uint8_t *)at[i]->x);
        else
            get_floats(worker->features + i * n_features, (const uint8_t *)at[i]->x, n_features);
    }
    if (worker->info.input_kind == B2S6_TOKENS)
        status = b2s6_batch_tokens(worker->batch, n, worker->tokens, heard ? worker->rows : NULL, n * width, &options);
    else
        status = b2s6_batch_features(worker->batch, n, worker->features, n_features, heard ? worker->rows : NULL, n * width,
                                     &options);
    if (status != B2S6_OK)
        abort();                             /* every input was checked: a fault of this program */
    for (size_t i = 0; i < n; i++) {
        uint8_t *record = at[i]->partition->records.bytes + at[i]->record;

        if (at[i]->record == SIZE_MAX)
            continue;
        put_u64(record + 8, b2s6_state_steps(worker->batch[i]));
        put_floats(record + RECORD_HEAD, worker->rows + i * width, width);
    }
}

/*
 * All events of some streams, which stay in the processor's cache meanwhile: the first of each, then the second of those that
 * have one, and so on.
 */
static void step_streams(struct worker *worker, struct slot *const *slots, size_t n)
{
    struct event *at[BATCH];

    for (size_t i = 0; i < n; i++)
        at[i] = slots[i]->first;
    while (n > 0) {
        size_t left = 0;

        step_batch(worker, at, n);
        for (size_t i = 0; i < n; i++)
            if (at[i]->next)
                at[left++] = at[i]->next;
        n = left;
    }
}

/* Whether a stream is due to be stored: after every so many events, streams not all at the same time. */
static int is_due(const struct worker *worker, const struct slot *slot, uint64_t steps_before)
{
    const uint64_t offset = slot->stream * UINT64_C(0x9e3779b97f4a7c15) % worker->every;

    return (b2s6_state_steps(slot->state) + offset) / worker->every != (steps_before + offset) / worker->every;
}

static void settle(struct worker *worker, struct slot *slot)
{
    uint64_t n = 0;

    for (const struct event *event = slot->first; event; event = event->next)
        n++;
    worker->n_taken += n;
    slot->position = slot->last->id;
    cache_dirty(&worker->cache, slot, slot->first->before, slot->first->count);
    if (is_due(worker, slot, b2s6_state_steps(slot->state) - n))
        partition_store(worker, slot);
    slot->first = slot->last = NULL;
}

void round_step(struct worker *worker)
{
    plan(worker);
    for (size_t i = 0; i < worker->n_order; i += BATCH)
        step_streams(worker, worker->order + i, worker->n_order - i < BATCH ? worker->n_order - i : BATCH);
    worker_spent(worker, PHASE_STEP);
    for (size_t i = 0; i < worker->n_order; i++)
        settle(worker, worker->order[i]);
    for (int i = 0; i < worker->n_partitions; i++) {
        const struct partition *partition = &worker->partitions[i];
        struct slot *oldest;

        while ((oldest = worker->cache.dirty[i].first) && oldest->since + worker->window < partition->count)
            partition_store(worker, oldest);
    }
    worker_spent(worker, PHASE_STORE);
}

void round_end(struct worker *worker)
{
    if (worker->reply)
        freeReplyObject(worker->reply);
    worker->reply = NULL;
    worker->n_events = worker->n_order = worker->n_wanted = 0;
    for (int i = 0; i < worker->n_partitions; i++)
        if (worker->partitions[i].lost)
            partition_forget(worker, &worker->partitions[i]);
}
